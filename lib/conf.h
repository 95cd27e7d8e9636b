/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf: /etc/europa/europa.conf, "key = value" lines in [sections], and the
 * files of the folder beside it, /etc/europa/europa.conf.d.
 *
 * Strict: an unknown section or key, a value out of range or a key given twice
 * in one file is an error that names file and line, and says what would be
 * right. '#' begins a comment line.
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
	/* of a CONF_STRING: NULL if it is good, else what is wanted */
	const char *(*check)(const char *value);
};

/*
 * Reads path into the targets of keys[n]; targets keep their values where the
 * file is silent. Keys of sections that are not in keys[] but in others[] (a
 * NULL-terminated list) are skipped: one file serves several programs.
 * Returns 0 or negative errno with e set.
 */
int conf_read(const char *path, const struct conf_key *keys, size_t n,
    const char *const *others, struct err *e);

/*
 * The same, and then each *.conf of the folder "path.d", in the order of their
 * names: a later file's word counts. There need not be such a folder.
 */
int conf_read_all(const char *path, const struct conf_key *keys, size_t n,
    const char *const *others, struct err *e);

#endif
