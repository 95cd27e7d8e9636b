/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ports_file: the ports to open at start, as europad left them.
 *
 *	# comment
 *	port NAME MTU DEVARGS
 *
 * NAME is Europa's name of the port, MTU bytes of layer 3, DEVARGS the rest of
 * the line as DPDK wants it. europad rewrites the file when ports change; here
 * it is only read. A missing file means no ports.
 */
#ifndef DATAPLANE_PORTS_FILE_H
#define DATAPLANE_PORTS_FILE_H

#include "lib/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PORT_NAME_BYTES = 64, PORT_MIN_MTU = 68, PORT_MAX_MTU = 9000 };

struct port_spec {
	char name[PORT_NAME_BYTES];
	char devargs[WIRE_MAX_DEVARGS];
	uint16_t mtu; /* bytes */
};

/*
 * Reads one line, without its newline. Returns 1 and the port, 0 for a comment
 * or an empty line, or -EINVAL. Context: any thread.
 */
int ports_file_parse(const char *line, struct port_spec *out);

/* Names have letters, digits, '.', '_' and '-', and begin with a letter. */
bool port_name_is_valid(const char *name);

/*
 * Reads path into *out (returned to the caller, free() it). Bad lines are
 * logged and left out. Returns the number of ports, or negative errno.
 */
int ports_file_read(const char *path, struct port_spec **out);

#endif
