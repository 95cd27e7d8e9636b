/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf: /etc/europa/europa.conf, "key = value" lines in [sections].
 *
 * Strict: an unknown section or key, a value out of range or a key given twice
 * in one file is an error that names file and line. '#' begins a comment line.
 */
#ifndef EUROPA_CONF_H
#define EUROPA_CONF_H

#include "lib/err.h"

#include <stddef.h>

enum conf_kind {
	CONF_STRING, /* target: char[size] */
	CONF_UINT,   /* target: unsigned, min..max */
	CONF_BOOL,   /* target: bool; yes, no, true, false */
};

struct conf_key {
	const char *section;
	const char *name;
	enum conf_kind kind;
	void *target;
	size_t size;       /* of a string's target */
	unsigned min, max; /* of a CONF_UINT */
};

/*
 * Reads path into the targets of keys[n]; targets keep their values where the
 * file is silent. Keys of sections that are not in keys[] but in others[] (a
 * NULL-terminated list) are skipped: one file serves several programs.
 * Returns 0 or negative errno with e set.
 */
int conf_read(const char *path, const struct conf_key *keys, size_t n,
    const char *const *others, struct err *e);

#endif
