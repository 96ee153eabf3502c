/* SPDX-License-Identifier: BSD-3-Clause */
/* The samples in conf/. */
#include "conf_good.h"

static char *sample(const char *name)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", SAMPLES, name);
    FILE *in = fopen(path, "r");
    ck_assert_msg(in != NULL, "%s", path);
    for (int c; (c = fgetc(in)) != EOF;)
        fputc(c, out);
    fclose(in);
    fclose(out);
    return text;
}

static struct conf *sample_loaded(const char *name)
{
    char *text = sample(name);
    char *errors;
    write_text(name, text, 0600);
    struct conf *conf = load_path(in_directory(name), &errors);
    ck_assert_msg(conf != NULL, "%s", errors);
    ck_assert_str_eq(conf->warnings, "");
    free(errors);
    free(text);
    return conf;
}

START_TEST(sample_primary)
{
    struct conf *conf = sample_loaded("primary.conf");
    ck_assert_str_eq(conf->node, "pha1");
    ck_assert_uint_eq(conf->n_ports, 2);
    ck_assert_uint_eq(conf->n_mobiles, 3);
    conf_free(conf);
}
END_TEST

static char *sample_uncommented(const char *name)
{
    char *text = sample(name);
    for (char *at = text; (at = strstr(at, "\n    # ")) != NULL; at++)
        memcpy(at, "\n      ", 7);
    return text;
}

/* What a sample shows as a default, and its other commented keys, must be true: without the mark in front of
 * them they are accepted and change nothing. */
START_TEST(sample_primary_uncommented)
{
    char *text = sample_uncommented("primary.conf");
    char *socket = strstr(text, "socket =");
    ck_assert_ptr_nonnull(socket);
    socket[-1] = '#'; /* no default, as capacity is none */
    struct conf *shown = loaded(text), *conf = sample_loaded("primary.conf");
    ck_assert_mem_eq(&shown->eal, &conf->eal, sizeof(conf->eal));
    ck_assert_int_eq(shown->idle, conf->idle);
    ck_assert_mem_eq(&shown->ports, &conf->ports, sizeof(conf->ports));
    ck_assert_uint_eq(shown->agent.max_bindings, conf->agent.max_bindings);
    ck_assert_uint_eq(shown->agent.max_lifetime_s, conf->agent.max_lifetime_s);
    ck_assert_uint_eq(shown->agent.timestamp_window_s, conf->agent.timestamp_window_s);
    assert_delegation(&shown->agent.delegation, &conf->agent.delegation);
    ck_assert_uint_eq(shown->capacity_pps, 5000000);
    ck_assert_str_eq(shown->warnings, "");
    conf_free(shown);
    conf_free(conf);
    free(text);
}
END_TEST

/* The router advertisement of the sample is the one of a section that says nothing. */
START_TEST(sample_advertisement)
{
    static const char mark[] = "\n# router-advertisement \"home\" {";
    char *text = sample("primary.conf"), *plain;
    char *at = strstr(text, mark);
    ck_assert_ptr_nonnull(at);
    ck_assert_int_ge(asprintf(&plain, "%.*s\nrouter-advertisement home {}\n", (int)(at - text), text), 0);
    ck_assert_ptr_nonnull(plain = realloc(plain, strlen(plain) + strlen(text) + 1));
    strcat(plain, strchr(at + 1, '\n') + 1);
    at[1] = ' ';
    struct conf *shown = loaded(text), *silent = loaded(plain);
    ck_assert(shown->ports[0].advertisement.on);
    ck_assert_mem_eq(&shown->ports[0].advertisement, &silent->ports[0].advertisement,
                     sizeof(silent->ports[0].advertisement));
    conf_free(shown);
    conf_free(silent);
    free(plain);
    free(text);
}
END_TEST

START_TEST(sample_secondary)
{
    struct conf *conf = sample_loaded("secondary.conf");
    char *text = sample_uncommented("secondary.conf");
    struct conf *shown = loaded(text);
    ck_assert_int_eq(conf->role, ROLE_SECONDARY);
    ck_assert_uint_eq(conf->n_peers, 1);
    ck_assert_mem_eq(&shown->ports, &conf->ports, sizeof(conf->ports));
    ck_assert_mem_eq(&shown->eal, &conf->eal, sizeof(conf->eal));
    ck_assert_uint_eq(shown->agent.max_bindings, conf->agent.max_bindings);
    ck_assert_uint_eq(shown->agent.n_home_networks, conf->agent.n_home_networks);
    ck_assert_mem_eq(shown->peers[0].prefixes, conf->peers[0].prefixes, sizeof(conf->peers[0].prefixes));
    assert_delegation(&shown->agent.delegation, &conf->agent.delegation);
    conf_free(conf);
    conf_free(shown);
    free(text);
}
END_TEST

/* The secondary that conf/primary.conf describes is the one of conf/secondary.conf. */
START_TEST(samples_fit_together)
{
    char *text = sample("primary.conf");
    struct conf *primary = sample_loaded("primary.conf"), *secondary = sample_loaded("secondary.conf");
    ck_assert_ptr_nonnull(strstr(text, "# secondary \"sha1\" { address = \"10.1.0.3\"  spi = 1000 "));
    ck_assert_str_eq(secondary->node, "sha1");
    assert_address(&secondary->peers[0].local, "10.1.0.3");
    ck_assert_uint_eq(secondary->peers[0].spi, 1000);
    ck_assert(addr_equal(&secondary->peers[0].address, &primary->agent.home_agents[0]));
    ck_assert_uint_ne(secondary->id, primary->id);
    conf_free(primary);
    conf_free(secondary);
    free(text);
}
END_TEST

/* What a port may say is shown where one stands, by both ends of delegation. */
START_TEST(samples_name_every_key_of_a_port)
{
    static const char *const keys[] = {"device", "addresses", "mtu", "mld"};
    static const char *const names[] = {"primary.conf", "secondary.conf"};
    for (int i = 0; i < ROWS(names); i++) {
        char *text = sample_uncommented(names[i]), *port = strstr(text, "\nport home {");
        ck_assert_ptr_nonnull(port);
        *strstr(port, "\n}") = '\0';
        for (int k = 0; k < ROWS(keys); k++) {
            const size_t len = strlen(keys[k]);
            const char *at = strstr(port, keys[k]);
            ck_assert_msg(at != NULL && at[-1] == ' ' && strspn(at + len, " ") > 0 &&
                              at[len + strspn(at + len, " ")] == '=',
                          "%s: %s", names[i], keys[k]);
        }
        free(text);
    }
}
END_TEST

START_TEST(sample_lab)
{
    struct conf *conf = sample_loaded("lab.conf");
    ck_assert_str_eq(conf->eal.lcores, "0@0,1@0");
    ck_assert(!conf->eal.huge_pages);
    ck_assert_int_eq(conf->idle, IDLE_ADAPTIVE);
    ck_assert_ptr_nonnull(strstr(conf->ports[0].device, "net_af_packet0,iface="));
    conf_free(conf);
}
END_TEST

START_TEST(sample_mobile_nodes)
{
    char *rows = sample("mobile-nodes.csv");
    write_text("nodes.csv", rows, 0600);
    struct conf *conf = loaded(good);
    struct addr last = address("10.1.0.102");
    ck_assert_uint_eq(conf->n_mobiles, 3 + 3);
    ck_assert(addr_equal(&conf->mobiles[5].home, &last));
    ck_assert_uint_eq(conf->mobiles[4].sa.key.algorithm, AUTH_HMAC_SHA256);
    conf_free(conf);
    free(rows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf_samples");
    TCase *tests = conf_case(suite, "conf_samples", setup);
    tcase_add_test(tests, sample_primary);
    tcase_add_test(tests, sample_primary_uncommented);
    tcase_add_test(tests, sample_advertisement);
    tcase_add_test(tests, sample_secondary);
    tcase_add_test(tests, samples_fit_together);
    tcase_add_test(tests, samples_name_every_key_of_a_port);
    tcase_add_test(tests, sample_lab);
    tcase_add_test(tests, sample_mobile_nodes);
    return check_main(suite);
}
