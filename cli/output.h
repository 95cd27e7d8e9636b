/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output: a document as a table, CSV (RFC 4180), names, JSON or YAML.
 *
 * Columns are a text such as "NAME=name STATE=status.state": titles, and paths
 * of value.h. A table is as wide as the terminal at most, and never cut when it
 * goes elsewhere.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/cli.h"

#include <jansson.h>
#include <stdio.h>

struct output {
	enum format format;
	const char *columns;
	const char *rows;   /* the member that is the list, or NULL: one row */
	const char *fields; /* "a,b": paths instead of columns, or NULL */
	unsigned width;     /* of the terminal; 0: as wide as need be */
};

/* Returns 0, or -EINVAL if fields are none, -ENOMEM. */
int output_print(
    FILE *f, const struct output *o, const json_t *doc, struct err *e);

/* The name of a format (json, ...), or -EINVAL. */
int output_format(const char *name);

/* Columns of the terminal that stdout is, 0 if it is none. */
unsigned output_width(void);

#endif
