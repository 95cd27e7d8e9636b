/* SPDX-License-Identifier: Apache-2.0 */
/* args: see args.h. */
#include "cli/args.h"

#include "cli/output.h"
#include "lib/base.h"

#include <ctype.h>
#include <stdio.h>

/* clang-format off */
const struct option global_options[] = {
	{ "--server", OPTION_OWN, "s", "SERVER", .help = "a socket's path, https://HOST:8780, or a name (config list)" },
	{ "--fingerprint", OPTION_OWN, "p", "sha256:HEX", .help = "of the server's certificate: that one and no other" },
	{ "--token-file", OPTION_OWN, "t", "FILE", .help = "holds the token; else $EUROPA_TOKEN does" },
	{ "--project", OPTION_OWN, "j", "PROJECT", .help = "whose objects" },
	{ "--format", OPTION_OWN, "f", "FORMAT", .help = "table, json, yaml, csv or name" },
	{ "--fields", OPTION_OWN, "i", "A,B", .help = "these members, such as name,status.state" },
	{ "--if-match", OPTION_OWN, "m", "ETAG", .help = "change it only if it still is that" },
	{ "--key", OPTION_OWN, "k", "KEY", .help = "names what is made: sent again with it, it is made once" },
	{ "--timeout", OPTION_OWN, "o", "SECONDS", .help = "of a request; 60 by default, 0 is none" },
	{ "--dry-run", OPTION_OWN, "d", NULL, .help = "check everything, change nothing" },
	{ "--async", OPTION_OWN, "a", NULL, .help = "do not wait until it is applied" },
	{ "--debug", OPTION_OWN, "g", NULL, .help = "print the curl lines that do the same" },
	{ "--quiet", OPTION_OWN, "q", NULL, .help = "no progress" },
	{ "--help", OPTION_OWN, "h", NULL, .help = "this" },
	{ "--version", OPTION_OWN, "v", NULL, .help = "the version" },
	{ 0 },
};
/* clang-format on */

struct reader {
	struct globals *g;
	struct call *call;
	const char *noun; /* whose verb is still to come */
	struct err *e;
};

static int
parse_number(const char *text, unsigned max, unsigned *out)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || v > max)
		return -EINVAL;
	*out = (unsigned)v;
	return 0;
}

static int
set_format(struct reader *r, const char *value)
{
	int format = output_format(value);

	if (format < 0)
		return err_set(r->e, format,
		    "--format %s: want table, json, yaml, csv or name", value);
	r->g->format = (enum format)format;
	return 0;
}

static int
set_global(struct reader *r, const struct option *o, const char *value)
{
	struct globals *g = r->g;

	switch (*o->at) {
	case 's':
		g->server = value;
		break;
	case 'p':
		g->fingerprint = value;
		break;
	case 't':
		g->token_file = value;
		break;
	case 'j':
		g->project = value;
		break;
	case 'f':
		return set_format(r, value);
	case 'i':
		g->fields = value;
		break;
	case 'm':
		g->if_match = value;
		break;
	case 'k':
		g->key = value;
		break;
	case 'o':
		if (parse_number(value, 86400, &g->timeout_s) < 0)
			return err_set(r->e, -EINVAL,
			    "--timeout %s: want seconds, 0 to 86400", value);
		break;
	case 'd':
		g->dry_run = true;
		break;
	case 'a':
		g->async = true;
		break;
	case 'g':
		g->debug = true;
		break;
	case 'q':
		g->quiet = true;
		break;
	case 'h':
		r->call->wants_help = true;
		break;
	default:
		r->call->wants_version = true;
		break;
	}
	return 0;
}

static const struct option *
find_global(const char *name)
{
	for (const struct option *o = global_options; o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

static int
add_option(struct reader *r, const struct option *o, const char *value)
{
	struct call *call = r->call;

	if (call->n_options == CALL_MAX_OPTIONS)
		return err_set(r->e, -EINVAL,
		    "more than %d options; -f takes "
		    "a file",
		    CALL_MAX_OPTIONS);
	call->option[call->n_options].option = o;
	call->option[call->n_options++].value = value;
	return 0;
}

/* An option; next is the argument behind it. Returns how many were used. */
static int
read_option(struct reader *r, const char *arg, const char *next)
{
	const char *equals = arg[1] == '-' ? strchr(arg, '=') : NULL;
	const struct option *o, *global;
	char name[WORD_SIZE];
	size_t n = equals ? (size_t)(equals - arg) : strlen(arg);
	const char *value = equals ? equals + 1 : next;
	int rc;

	n = MIN(n, sizeof(name) - 1);
	memcpy(name, arg, n);
	name[n] = '\0';
	if (strcmp(name, "-h") == 0)
		strcpy(name, "--help");
	global = find_global(name);
	o = r->call->command ? command_option(r->call->command, name) : NULL;
	o = o ? o : global;
	if (!o)
		return err_set(r->e, -EINVAL, "unknown option %s", arg);
	if (o->meta && !value)
		return err_set(r->e, -EINVAL, "%s wants %s", name, o->meta);
	if (!o->meta && equals)
		return err_set(r->e, -EINVAL, "%s takes no value", name);
	rc = o == global ? set_global(r, o, value)
			 : add_option(r, o, o->meta ? value : NULL);
	return rc < 0 ? rc : 1 + (o->meta && !equals);
}

static bool
noun_is_known(const char *noun)
{
	for (size_t i = 0; i < n_commands; i++)
		if (strcmp(commands[i].noun, noun) == 0)
			return true;
	return false;
}

/* The noun, the verb, or one of the words behind. */
static int
read_word(struct reader *r, const char *arg)
{
	struct call *call = r->call;
	const struct command *verb = NULL;

	/* a noun that stands alone may have verbs beside */
	if (call->command && !call->command->verb && call->n_words == 0 &&
	    call->n_options == 0)
		verb = command_find(r->noun, arg);
	if (verb) {
		call->command = verb;
		return 1;
	}
	if (call->command) {
		call->word[call->n_words++] = arg;
		return 1;
	}
	if (!r->noun) {
		if (!noun_is_known(arg))
			return err_set(r->e, -EINVAL,
			    "unknown command %s; europactl help lists them",
			    arg);
		call->command = command_alone(arg);
		r->noun = arg;
		return 1;
	}
	call->command = command_find(r->noun, arg);
	if (!call->command)
		return err_set(r->e, -EINVAL,
		    "%s has no verb %s; europactl help %s lists them", r->noun,
		    arg, r->noun);
	return 1;
}

static int
check_words(const struct call *call, struct err *e)
{
	const struct command *c = call->command;
	unsigned min = 0, max = 0;
	struct word w;

	for (unsigned i = 0; command_word(c, i, &w); i++) {
		max = w.is_rest ? UINT32_MAX : max + 1;
		min += !w.is_optional;
	}
	if (call->n_words >= min && call->n_words <= max)
		return 0;
	return err_set(e, -EINVAL, "usage: europactl %s%s%s %s", c->noun,
	    c->verb ? " " : "", c->verb ? c->verb : "", c->words);
}

int
args_read(
    int argc, char **argv, struct globals *g, struct call *call, struct err *e)
{
	struct reader r = { .g = g, .call = call, .e = e };
	bool options_end = false;

	*call = (struct call){ 0 };
	call->word = calloc((size_t)argc + 1, sizeof(*call->word));
	if (!call->word)
		return err_set(e, -ENOMEM, "no memory");
	for (int i = 0; i < argc;) {
		bool is_option =
		    !options_end && argv[i][0] == '-' && argv[i][1] != '\0';
		int n;

		/* what is to be completed is no option of ours */
		if (call->command && (call->command->flags & COMMAND_HIDDEN))
			is_option = false;
		if (is_option && strcmp(argv[i], "--") == 0) {
			options_end = true;
			i++;
			continue;
		}
		n = is_option ? read_option(&r, argv[i],
				    i + 1 < argc ? argv[i + 1] : NULL)
			      : read_word(&r, argv[i]);
		if (n < 0)
			return n;
		i += n;
	}
	if (call->wants_help || call->wants_version)
		return 0;
	if (!call->command)
		return err_set(e, -EINVAL, "%s%s", r.noun ? r.noun : "",
		    r.noun ? " wants a verb; europactl help NOUN lists them"
			   : "what is to be done? europactl help lists it");
	return check_words(call, e);
}

void
args_free(struct call *call)
{
	free(call->word);
	*call = (struct call){ 0 };
}

const char *
args_word(const struct call *call, unsigned i)
{
	return i < call->n_words ? call->word[i] : NULL;
}

const char *
args_option(const struct call *call, const char *name)
{
	for (unsigned i = call->n_options; i-- > 0;)
		if (strcmp(call->option[i].option->name, name) == 0)
			return call->option[i].value ? call->option[i].value
						     : "";
	return NULL;
}

int
args_number(const struct call *call, const char *name, unsigned max,
    unsigned *number, struct err *e)
{
	const char *text = args_option(call, name);

	if (!text || parse_number(text, max, number) == 0)
		return 0;
	return err_set(
	    e, -EINVAL, "%s %s: want a number, 0 to %u", name, text, max);
}
