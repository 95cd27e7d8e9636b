/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_complete: what could come next on a command line, one a line, for the
 * scripts of three shells. Names are those of the node, asked for now; a node
 * that does not answer within two seconds has none. Nothing is ever said on
 * stderr: somebody is typing.
 */
#include "cli/args.h"
#include "cli/request.h"
#include "cli/run.h"
#include "lib/base.h"

#include <fcntl.h>
#include <stdio.h>

enum { ASK_SECONDS = 2 };

static void
offer(const char *text, const char *begin)
{
	if (strncmp(text, begin, strlen(begin)) == 0)
		puts(text);
}

static void
offer_nouns(const char *begin)
{
	for (size_t i = 0; i < n_commands; i++) {
		bool seen = commands[i].flags & COMMAND_HIDDEN;

		for (size_t k = 0; k < i && !seen; k++)
			seen = strcmp(commands[k].noun, commands[i].noun) == 0;
		if (!seen)
			offer(commands[i].noun, begin);
	}
}

static void
offer_verbs(const char *noun, const char *begin)
{
	for (size_t i = 0; i < n_commands; i++)
		if (commands[i].verb && strcmp(commands[i].noun, noun) == 0)
			offer(commands[i].verb, begin);
}

static void
offer_options(const struct command *c, const char *begin)
{
	for (const struct option *o = c ? c->options : NULL; o && o->name; o++)
		if (*o->name == '-')
			offer(o->name, begin);
	for (const struct option *o = global_options; o->name; o++)
		offer(o->name, begin);
}

static void
offer_list(const char *const *texts, size_t n, const char *begin)
{
	for (size_t i = 0; i < n; i++)
		offer(texts[i], begin);
}

/* The names that live at n; words of call may be in its path. */
static void
offer_names(struct cli *c, const struct call *call, const struct names_of *n,
    const char *begin)
{
	const struct command list = { .words = call->command->words,
		.path = n->path };
	const struct call at = {
		.command = &list, .word = call->word, .n_words = call->n_words
	};
	json_auto_t *doc = NULL;
	struct err e;
	scoped_free char *path = request_path(&at, &e);
	json_t *one;
	size_t i;

	c->g.timeout_s = ASK_SECONDS;
	c->g.quiet = true;
	if (!path || (!c->http && cli_connect(c, &e) < 0) ||
	    request_list(c, path, "items", &doc) != EXIT_DONE)
		return;
	json_array_foreach(json_object_get(doc, "items"), i, one)
	{
		const json_t *v = json_object_get(one, n->member);
		char number[24];

		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		    json_integer_value(v));
		if (v)
			offer(json_is_string(v) ? json_string_value(v) : number,
			    begin);
	}
}

static void
offer_word(struct cli *c, const struct call *call, const char *begin)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	static const char *const methods[] = { "GET", "POST", "PUT", "PATCH",
		"DELETE" };
	unsigned i = 0;
	struct word w;

	/* which one is it? the last of a rest goes on */
	while (command_word(call->command, i, &w) && !w.is_rest &&
	       i < call->n_words)
		i++;
	if (!command_word(call->command, i, &w))
		return;
	if (strcmp(w.name, "SHELL") == 0)
		offer_list(shells, ARRAY_SIZE(shells), begin);
	else if (strcmp(w.name, "METHOD") == 0)
		offer_list(methods, ARRAY_SIZE(methods), begin);
	else if (strcmp(w.name, "NOUN") == 0)
		offer_nouns(begin);
	for (size_t k = 0; k < n_names_of; k++)
		if (strcmp(names_of[k].word, w.name) == 0)
			offer_names(c, call, &names_of[k], begin);
}

/* The value of an option. */
static void
offer_value(const char *option, const char *begin)
{
	static const char *const formats[] = { "table", "json", "yaml", "csv",
		"name" };
	static const char *const sources[] = { "static", "api", "linux",
		"connected" };
	static const char *const powers[] = { "running", "stopped", "paused" };
	static const char *const scopes[] = { "container", "dataplane" };

	if (strcmp(option, "--format") == 0)
		offer_list(formats, ARRAY_SIZE(formats), begin);
	else if (strcmp(option, "--source") == 0)
		offer_list(sources, ARRAY_SIZE(sources), begin);
	else if (strcmp(option, "--power") == 0)
		offer_list(powers, ARRAY_SIZE(powers), begin);
	else if (strcmp(option, "--scope") == 0)
		offer_list(scopes, ARRAY_SIZE(scopes), begin);
}

/* Is the word before the cursor an option that wants a value? */
static bool
wants_value(const struct command *c, const char *before)
{
	const struct option *o =
	    c && *before == '-' ? command_option(c, before) : NULL;

	for (const struct option *g = global_options; !o && g->name; g++)
		if (strcmp(g->name, before) == 0)
			o = g;
	return o && o->meta && *before == '-';
}

/* stderr is the terminal that somebody types on. */
static void
be_silent(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
	base_close(fd);
}

/* The first word that is no option, and no value of one. */
static const char *
find_noun(const char *const *word, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (*word[i] != '-')
			return word[i];
		i += wants_value(NULL, word[i]);
	}
	return NULL;
}

int
run_complete(struct cli *c, const struct call *call)
{
	unsigned n = call->n_words;
	const char *begin = n > 0 ? call->word[n - 1] : "";
	const char *before = n > 1 ? call->word[n - 2] : "";
	const char *noun = find_noun(call->word, n > 0 ? n - 1 : 0);
	struct call typed;
	struct err e;

	be_silent();
	/* words are borrowed as they are; a wrong one ends it, what is read
	 * before it counts */
	(void)args_read(n > 0 ? (int)n - 1 : 0, (char **)(uintptr_t)call->word,
	    &c->g, &typed, &e);
	if (wants_value(typed.command, before))
		offer_value(before, begin);
	else if (*begin == '-')
		offer_options(typed.command, begin);
	else if (typed.command) {
		if (!typed.command->verb && typed.n_words == 0)
			offer_verbs(typed.command->noun, begin);
		offer_word(c, &typed, begin);
	} else if (noun)
		offer_verbs(noun, begin);
	else
		offer_nouns(begin);
	args_free(&typed);
	return EXIT_DONE;
}
