/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: the command line and the section [dataplane] of europa.conf. The
 * command line wins.
 */
#ifndef DATAPLANE_OPTIONS_H
#define DATAPLANE_OPTIONS_H

#include "dataplane/spread.h"
#include "lib/err.h"

#include <stdbool.h>

enum options_huge { HUGE_AUTO, HUGE_YES, HUGE_NO };

struct options {
	char config[256];
	char socket[108];
	char ports[256];
	char user[64]; /* "" = stay who we are */
	char log_level[16];
	char hugepages[8];
	enum options_huge huge;       /* of hugepages */
	unsigned mem_mib;             /* of DPDK; on 4 KiB pages a ceiling */
	unsigned workers;             /* 1..SPREAD_MAX_WORKERS */
	char worker_cores[128];       /* a list: 2,3 or 2-5; "" = any */
	int core[SPREAD_MAX_WORKERS]; /* of each worker; -1 = any */
	bool show_version;
	bool check; /* read all of this, and end */
	bool show_help;
};

/* Returns 0, or negative errno with e set. */
int options_read(struct options *o, int argc, char **argv, struct err *e);
void options_print_help(void);

#endif
