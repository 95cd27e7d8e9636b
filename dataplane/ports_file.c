/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ports_file: a line at a time. One bad line costs one port and not the node,
 * see ports_file.h.
 */
#include "dataplane/ports_file.h"

#include "lib/base.h"
#include "lib/log.h"

#include <ctype.h>
#include <stdio.h>

enum { MAX_LINE = 1024 };

bool
port_name_is_valid(const char *name)
{
	if (!isalpha((unsigned char)name[0]))
		return false;
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			return false;
	return true;
}

/* Cuts the next word off *rest; an empty one if there is none. */
static char *
next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t\r");

	*rest = word + strcspn(word, " \t\r");
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

static void
trim_end(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && isspace((unsigned char)s[n - 1]))
		s[--n] = '\0';
}

int
ports_file_parse(const char *line, struct port_spec *out)
{
	char copy[MAX_LINE], *rest = copy, *verb, *name, *mtu, *end;
	unsigned long n;

	if (strlen(line) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, line);
	verb = next_word(&rest);
	if (verb[0] == '\0' || verb[0] == '#')
		return 0;
	name = next_word(&rest);
	mtu = next_word(&rest);
	rest += strspn(rest, " \t");
	trim_end(rest);
	n = strtoul(mtu, &end, 10);
	if (strcmp(verb, "port") != 0 || strlen(name) >= sizeof(out->name) ||
	    !port_name_is_valid(name) || !isdigit((unsigned char)mtu[0]) ||
	    *end || n < PORT_MIN_MTU || n > PORT_MAX_MTU || !rest[0] ||
	    strlen(rest) >= sizeof(out->devargs))
		return -EINVAL;
	*out = (struct port_spec){ .mtu = (uint16_t)n };
	strcpy(out->name, name);
	strcpy(out->devargs, rest);
	return 1;
}

static int
read_lines(FILE *f, const char *path, struct port_spec **out)
{
	scoped_free struct port_spec *list = NULL;
	char line[MAX_LINE];
	unsigned n = 0, no = 0;

	while (fgets(line, sizeof(line), f)) {
		struct port_spec spec;
		struct port_spec *more;
		int rc;

		no++;
		line[strcspn(line, "\n")] = '\0';
		rc = ports_file_parse(line, &spec);
		if (rc < 0)
			log_err(
			    "%s:%u: want \"port NAME MTU DEVARGS\"", path, no);
		if (rc <= 0)
			continue;
		more = realloc(list, (n + 1) * sizeof(*list));
		if (!more)
			return -ENOMEM;
		list = more;
		list[n++] = spec;
	}
	*out = steal_ptr(list);
	return (int)n;
}

int
ports_file_read(const char *path, struct port_spec **out)
{
	FILE *f = fopen(path, "re");
	int n;

	*out = NULL;
	if (!f)
		return errno == ENOENT ? 0 : -errno;
	n = read_lines(f, path, out);
	fclose(f);
	return n;
}
