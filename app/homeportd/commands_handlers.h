/* SPDX-License-Identifier: BSD-3-Clause */
/* What the rows of the commands' table do; each is one slice of its command, called by control alone. */
#ifndef HOMEPORTD_COMMANDS_HANDLERS_H
#define HOMEPORTD_COMMANDS_HANDLERS_H

#include "commands.h"

/* commands_bindings.c */
enum command_step commands_show_bindings(struct control *control, struct command *command);
enum command_step commands_clear_binding(struct control *control, struct command *command);

/* commands_show.c */
enum command_step commands_show_ports(struct control *control, struct command *command);
enum command_step commands_show_neighbors(struct control *control, struct command *command);
enum command_step commands_show_routes(struct control *control, struct command *command);
enum command_step commands_show_workers(struct control *control, struct command *command);
enum command_step commands_show_version(struct control *control, struct command *command);

/* commands_groups.c */
enum command_step commands_show_groups(struct control *control, struct command *command);

/* commands_delegation.c */
extern const char *const commands_policies[];
enum command_step commands_show_secondaries(struct control *control, struct command *command);
enum command_step commands_show_primaries(struct control *control, struct command *command);
enum command_step commands_show_load(struct control *control, struct command *command);
enum command_step commands_delegate(struct control *control, struct command *command);
enum command_step commands_recall(struct control *control, struct command *command);
enum command_step commands_drain(struct control *control, struct command *command);
enum command_step commands_undrain(struct control *control, struct command *command);
enum command_step commands_rebalance(struct control *control, struct command *command);
enum command_step commands_rebalance_plan(struct control *control, struct command *command);
enum command_step commands_set_threshold(struct control *control, struct command *command);
enum command_step commands_set_policy(struct control *control, struct command *command);

/* commands_counters.c */
enum command_step commands_show_counters(struct control *control, struct command *command);
enum command_step commands_clear_counters(struct control *control, struct command *command);

/* commands_doctor.c */
bool commands_doctor_prepare(struct command *command, const char *conf_path, FILE *errors);
enum command_step commands_doctor(struct control *control, struct command *command);
void commands_doctor_finish(struct command *command);

/* commands_set.c */
extern const char *const commands_log_levels[];
enum command_step commands_set_log(struct control *control, struct command *command);
bool commands_reload_prepare(struct command *command, const char *conf_path, FILE *errors);
enum command_step commands_reload(struct control *control, struct command *command);
void commands_reload_finish(struct command *command);

#endif
