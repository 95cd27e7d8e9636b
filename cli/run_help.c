/* SPDX-License-Identifier: Apache-2.0 */
/* run_help: what can be said, from the rows themselves. */
#include "cli/args.h"
#include "cli/run.h"
#include "lib/base.h"

#include <stdio.h>

enum { HELP_COLUMN = 46 };

static void
print_option(const struct option *o)
{
	int n = printf(
	    "  %s%s%s", o->name, o->meta ? " " : "", o->meta ? o->meta : "");

	printf("%*s  %s\n", MAX(HELP_COLUMN - n, 0), "", o->help);
}

static void
print_command(const struct command *c)
{
	int n = printf("  %s%s%s%s%s", c->noun, c->verb ? " " : "",
	    c->verb ? c->verb : "", *c->words ? " " : "", c->words);

	printf("%*s  %s\n", MAX(HELP_COLUMN - n, 0), "", c->help);
}

static void
print_options(const struct option *o)
{
	for (; o && o->name; o++)
		print_option(o);
}

static bool
print_noun(const char *noun)
{
	const struct option *last = NULL;
	bool found = false;

	for (size_t i = 0; i < n_commands; i++)
		if (strcmp(commands[i].noun, noun) == 0) {
			print_command(&commands[i]);
			found = true;
		}
	for (size_t i = 0; i < n_commands; i++) {
		if (strcmp(commands[i].noun, noun) != 0 ||
		    !commands[i].options || commands[i].options == last)
			continue;
		last = commands[i].options;
		printf("\n%s%s%s:\n", commands[i].noun,
		    commands[i].verb ? " " : "",
		    commands[i].verb ? commands[i].verb : "");
		print_options(last);
	}
	return found;
}

int
run_help(struct cli *c, const struct call *call)
{
	const char *noun = call->wants_help
			       ? call->command ? call->command->noun : NULL
			       : args_word(call, 0);

	(void)c;
	if (noun)
		return print_noun(noun)
			   ? EXIT_DONE
			   : cli_fail(EXIT_USAGE, "unknown command %s", noun);
	puts("usage: europactl [OPTION...] NOUN [VERB] [WORD...]\n");
	for (size_t i = 0; i < n_commands; i++)
		if (!(commands[i].flags & COMMAND_HIDDEN))
			print_command(&commands[i]);
	puts("\nOptions of all commands:");
	print_options(global_options);
	puts("\nExit codes: 0 done, 1 other, 2 usage, 3 not found, "
	     "4 conflict, 5 invalid, 6 denied,\n7 quota or capacity, "
	     "8 recorded and not applied in time, 9 unreachable,\n"
	     "10 differences, 78 doctor found something. europactl(1) has "
	     "the rest.");
	return EXIT_DONE;
}
