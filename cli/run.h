/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: the commands that are more than one request. Each returns an exit code,
 * and has said why if it is not 0.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/cli.h"

struct call;

int run_api(struct cli *c, const struct call *call);
int run_backup(struct cli *c, const struct call *call);
int run_complete(struct cli *c, const struct call *call);
int run_completion(struct cli *c, const struct call *call);
int run_config_add(struct cli *c, const struct call *call);
int run_config_list(struct cli *c, const struct call *call);
int run_config_remove(struct cli *c, const struct call *call);
int run_config_use(struct cli *c, const struct call *call);
int run_console(struct cli *c, const struct call *call);
int run_doctor(struct cli *c, const struct call *call);
int run_exec(struct cli *c, const struct call *call);
int run_help(struct cli *c, const struct call *call);
int run_node_stop(struct cli *c, const struct call *call);
int run_restore(struct cli *c, const struct call *call);
int run_top(struct cli *c, const struct call *call);
int run_wait_ready(struct cli *c, const struct call *call);

#endif
