/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command: what can be said to europactl, as rows of a table.
 *
 * A row is a noun, a verb, the words behind them, and the request that they
 * make. Most rows are nothing more: request.c does them all. A row with run is
 * one that is not a single request. Help, completion and the check of the
 * manual page read the same rows.
 *
 * Words: "ROUTER [REVISION]" is one that must be there and one that may; three
 * points behind the last take all the rest. A word that the path names goes
 * there; others go to the body, as the option row of that name says, or else to
 * the member of that name in lower case.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/cli.h"

struct call;
struct item;

enum option_kind {
	OPTION_TEXT,   /* a text, at the pointer */
	OPTION_VALUE,  /* a number, true, null, or else a text */
	OPTION_LABELS, /* k=v, texts; k- is null */
	OPTION_PAIRS,  /* k=v,k=v, values */
	OPTION_ITEM,   /* NAME,k=v,... of item, added to the list there */
	OPTION_CHANGE, /* k=v of item, put into the object there */
	OPTION_SET,    /* a.b=v: any member */
	OPTION_BODY,   /* a file that is the JSON to begin with */
	OPTION_RAW,    /* a file that is the whole body, as it is */
	OPTION_QUERY,  /* a parameter of the query */
	OPTION_OWN,    /* run reads it */
};

struct option {
	const char *name; /* "--vnic"; or "LIMIT", a word */
	enum option_kind kind;
	const char *at;   /* JSON pointer, or the parameter's name */
	const char *meta; /* what it takes, for the help; NULL: nothing */
	const char *help;
	const struct item *item;
};

enum {
	COMMAND_TEXT = 1,   /* the answer is a text, printed as it is */
	COMMAND_STREAM = 2, /* it has no end, and is printed as it comes */
	COMMAND_LOCAL = 4,  /* no node is spoken to, or run connects */
	COMMAND_HIDDEN = 8,
};

enum { MAX_OPTIONS = 12 };

struct command {
	const char *noun;
	const char *verb; /* NULL: the noun says it all */
	const char *words;
	const char *help;
	const char *method;
	const char *path;
	const char *body;    /* fixed JSON, or NULL */
	const char *type;    /* of a raw body */
	const char *accept;  /* of the answer, or NULL */
	const char *columns; /* of output.h */
	const char *rows;
	enum format format; /* when none is asked for */
	unsigned flags;
	const struct option *options; /* up to one without a name */
	int (*run)(struct cli *c, const struct call *call);
};

extern const struct command commands[];
extern const size_t n_commands;

/* Where the names live that a word stands for, for completion. */
struct names_of {
	const char *word;   /* ROUTER */
	const char *path;   /* /v1/routers */
	const char *member; /* of each item */
};

extern const struct names_of names_of[];
extern const size_t n_names_of;

/* The row of that noun and verb, or NULL. */
const struct command *command_find(const char *noun, const char *verb);

/*
 * Does noun stand alone, without a verb? Returns its row, NULL if it has to have
 * one, or is none.
 */
const struct command *command_alone(const char *noun);

enum { WORD_SIZE = 32 };

/* One of the words of a row. */
struct word {
	char name[WORD_SIZE];
	bool is_optional, is_rest;
};

/* The i-th word of the row; false if it has fewer. */
bool command_word(const struct command *c, unsigned i, struct word *out);

/* The option or word of that name, or NULL. */
const struct option *command_option(const struct command *c, const char *name);

#endif
