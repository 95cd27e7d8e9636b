/* SPDX-License-Identifier: Apache-2.0 */
/* command: how rows are found and read, see command.h. */
#include "cli/command.h"

#include "lib/base.h"

const struct command *
command_find(const char *noun, const char *verb)
{
	for (size_t i = 0; i < n_commands; i++)
		if (commands[i].verb && strcmp(commands[i].noun, noun) == 0 &&
		    strcmp(commands[i].verb, verb) == 0)
			return &commands[i];
	return NULL;
}

const struct command *
command_alone(const char *noun)
{
	for (size_t i = 0; i < n_commands; i++)
		if (!commands[i].verb && strcmp(commands[i].noun, noun) == 0)
			return &commands[i];
	return NULL;
}

bool
command_word(const struct command *c, unsigned i, struct word *out)
{
	const char *s = c->words;
	size_t n = strcspn(s, " ");

	for (; i > 0 && *s; i--) {
		s += n + (s[n] != '\0');
		n = strcspn(s, " ");
	}
	if (n == 0)
		return false;
	*out = (struct word){ .is_optional = *s == '[' };
	if (out->is_optional) {
		s++;
		n -= 2;
	}
	out->is_rest = n > 3 && memcmp(s + n - 3, "...", 3) == 0;
	if (out->is_rest)
		n -= 3;
	n = MIN(n, sizeof(out->name) - 1);
	memcpy(out->name, s, n);
	return true;
}

const struct option *
command_option(const struct command *c, const char *name)
{
	const struct option *o = c->options;

	for (; o && o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}
