/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body: the JSON that a command line asks for. It knows how things are written,
 * not what may be: the node checks values, and says where they are wrong.
 */
#ifndef CLI_BODY_H
#define CLI_BODY_H

#include "cli/args.h"

#include <jansson.h>

/* A member of something that is written as "WORD,key=value,...". */
struct item_key {
	const char *name; /* port */
	const char *at;   /* /attach/port; ends in /- to add to a list */
	bool is_text;     /* never a number */
	bool is_flag;     /* true, without a value */
};

struct item {
	const char *first; /* member that the word before the commas is */
	const struct item_key *keys;
	size_t n_keys;
};

extern const struct item item_vnic;
extern const struct item item_route;

/*
 * The body of the call. Returns 0 and a new reference, NULL if it has none, or
 * negative errno.
 */
int body_build(const struct call *call, json_t **out, struct err *e);

/*
 * Puts v (taken) where pointer (RFC 6901) says, with all objects that lead
 * there; a last part of - adds to an array. Returns 0 or -EINVAL.
 */
int body_put(json_t *doc, const char *pointer, json_t *v);

/* A number, true, false, null, object or array if text is one, else a text. */
json_t *body_value(const char *text);

/* All of the file, - is stdin; returns to caller, ends in a zero. */
int body_read_file(const char *path, char **out, size_t *n, struct err *e);

#endif
