/* SPDX-License-Identifier: BSD-3-Clause */
/* One command from a script; the protocol is in script.h. */
#include "session.h"

#include <string.h>

#include "../homeportctl/script.h"

enum { REQUEST_MS = 5000 };

struct script {
    struct session *session;
    bool answered; /* something went to the standard output */
};

/* The request without hello and line feed. False: none came, or one that is too long. */
static bool read_request(struct connection *c, char request[SCRIPT_REQUEST_MAX])
{
    for (size_t len = 0; len < SCRIPT_REQUEST_MAX; len++) {
        int byte = connection_byte(c, REQUEST_MS);
        if (byte < 0)
            return false;
        request[len] = (char)byte;
        if (byte == '\n') {
            request[len] = '\0';
            return true;
        }
    }
    return false;
}

static bool send_chunk(struct session *s, const char *kind, const char *bytes, size_t n)
{
    char header[SCRIPT_HEADER_MAX];
    int len = snprintf(header, sizeof(header), "%s %zu\n", kind, n);
    return connection_send(&s->connection, header, (size_t)len) && connection_send(&s->connection, bytes, n);
}

static bool send_out(void *context, const char *bytes, size_t n)
{
    struct script *script = context;
    script->answered = true;
    return send_chunk(script->session, SCRIPT_OUT, bytes, n);
}

static bool send_detail(void *context, const char *bytes, size_t n)
{
    struct script *script = context;
    return send_chunk(script->session, SCRIPT_ERR, bytes, n);
}

static void send_refusal(struct session *s, const char *reason)
{
    send_chunk(s, SCRIPT_ERR, reason, strlen(reason));
    send_chunk(s, SCRIPT_ERR, "\n", 1);
    connection_send(&s->connection, SCRIPT_REFUSED "\n", sizeof(SCRIPT_REFUSED));
}

static bool skip(const char **text, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(*text, word, len) != 0)
        return false;
    *text += len;
    return true;
}

static void carry_out(struct session *s, bool json)
{
    struct script script = {.session = s};
    const struct session_sink sink = {.context = &script, .out = send_out, .detail = send_detail};
    enum session_outcome outcome =
        s->command.row->place == COMMAND_QUIT ? SESSION_DONE : session_run(s, &sink);
    if (outcome == SESSION_STOPPED)
        return;
    if (outcome == SESSION_REFUSED) {
        send_refusal(s, s->command.refusal);
        return;
    }
    if (json && !script.answered)
        send_out(&script, "{}\n", 3); /* an object, whatever was asked */
    connection_send(&s->connection, SCRIPT_OK "\n", sizeof(SCRIPT_OK));
}

void session_script(struct session *s)
{
    char request[SCRIPT_REQUEST_MAX];
    const char *text = request;
    const char hello = SCRIPT_HELLO;
    connection_send(&s->connection, &hello, 1);
    if (!read_request(&s->connection, request))
        return;
    bool json = skip(&text, SCRIPT_JSON);
    if (!json && !skip(&text, SCRIPT_TEXT))
        send_refusal(s, "not a request");
    else if (!commands_parse(&s->line, text, json, &s->command))
        send_refusal(s, *s->command.refusal != '\0' ? s->command.refusal : "no command");
    else
        carry_out(s, json);
}
