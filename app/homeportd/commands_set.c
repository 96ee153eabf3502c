/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands_handlers.h"
#include "control.h"
#include "log.h"

/* ---- set log ---- */

const char *const commands_log_levels[] = {
#define X(name, word) word,
    LOG_LEVELS(X)
#undef X
        NULL,
};

enum command_step commands_set_log(struct control *c, struct command *command)
{
    enum log_level level;
    (void)c;
    if (!log_level_by_word(command->argv[0], &level))
        return commands_refuse(command, "no such level: %s (error, warning, info, debug)", command->argv[0]);
    log_set_level(level);
    return COMMAND_DONE;
}

/* ---- reload: the file is read and checked by the session's thread, compared with what is in force and put
 * in force by control ---- */

enum { RELOAD_TO_BEGIN, RELOAD_UNDER_WAY };

bool commands_reload_prepare(struct command *command, const char *conf_path, FILE *errors)
{
    command->conf = conf_load(conf_path, errors);
    if (command->conf == NULL) {
        commands_refuse(command, "%s is faulty; nothing was changed", conf_path);
        return false;
    }
    fputs(command->conf->warnings, errors);
    return true;
}

/* What cannot change while the process runs, into the refusal. */
static bool can_reload(const struct control *c, struct command *command)
{
    static const char reason[] = "nothing was changed";
    size_t room = sizeof(command->refusal) - sizeof(reason);
    FILE *errors = fmemopen(command->refusal, room, "w");
    if (errors == NULL) {
        commands_refuse(command, "no memory; nothing was changed");
        return false;
    }
    bool can = conf_can_reload(c->conf, command->conf, errors);
    fclose(errors);
    if (!can) {
        command->refusal[room - 1] = '\0'; /* fmemopen leaves it out when the text fills the room */
        strcat(command->refusal, reason);
    }
    return can;
}

static enum command_step begin_reload(struct control *c, struct command *command)
{
    if (control_reloading(c))
        return commands_refuse(command, "another reload is under way");
    if (!can_reload(c, command))
        return COMMAND_REFUSED;
    int ret = control_reload(c, &command->conf);
    if (ret != 0)
        return commands_refuse(command, "%s; nothing was changed", strerror(-ret));
    command->state = RELOAD_UNDER_WAY;
    return COMMAND_WAIT;
}

enum command_step commands_reload(struct control *c, struct command *command)
{
    if (command->state == RELOAD_TO_BEGIN)
        return begin_reload(c, command);
    return control_reloading(c) ? COMMAND_WAIT : COMMAND_DONE;
}

void commands_reload_finish(struct command *command)
{
    conf_free(command->conf);
    command->conf = NULL;
}
