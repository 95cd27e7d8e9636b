/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens: secrets of those who ask over the network, as hashes, and what each of
 * them may do.
 *
 * A token is of the project in which it was made, and has a role in projects,
 * kept by their uid: a project that is made anew under an old name gives nobody
 * back what he had. Listener threads look secrets up; everything else is the
 * loop's, which alone changes the list, under the lock.
 */
#ifndef AGENT_TOKENS_H
#define AGENT_TOKENS_H

#include "agent/project.h"
#include "api/model_token.h"
#include "lib/sha256.h"

#include <pthread.h>

enum {
	TOKEN_SECRET_BYTES = 72, /* "europa_", 64 digits, the final zero */
	TOKENS_PER_PROJECT = 256,
};

struct token_role {
	bool is_every; /* of every project, and of the node */
	uint8_t project[UID_BYTES];
	enum api_role role;
};

struct token {
	struct token *next;
	char uid_text[UID_TEXT];
	char name[MODEL_NAME_BYTES];
	char created[32];
	char hash[SHA256_HEX];
	uint64_t generation;
	struct changes changes;
	uint64_t state;    /* see tokens_state(); under the lock */
	int64_t expires;   /* 0 = never */
	int64_t last_used; /* since europad runs; under the lock */
	struct project *project;
	unsigned n_roles;
	struct token_role role[MODEL_MAX_ROLES];
	json_t *labels;
};

struct tokens {
	pthread_mutex_t lock;
	struct token *first;
};

int tokens_load(struct node *n, struct err *e);
void tokens_free(struct node *n);

/*
 * What api_config.authenticate wants: true and the uid for a secret that is
 * known and has not expired. Context: any thread.
 */
bool tokens_check(void *arg, const char *secret, char id[UID_TEXT]);

/*
 * What api_config.token_state wants: 0 for a token that is not good any more,
 * else a number that is another one when its roles have changed. Context: any
 * thread.
 */
uint64_t tokens_state(void *arg, const char *id);

/*
 * Makes one of what t says, with a new secret, and stores it; the roles of t are
 * of projects that are there. Returns 0 and the token, which is in the list, or
 * negative with e set. With store false it is neither stored nor in the list,
 * and is the caller's to free.
 */
int token_make(struct node *n, struct project *p, const struct model_token *t,
    bool store, char secret[TOKEN_SECRET_BYTES], struct token **out,
    struct err *e);
/* out is t as it would be with the roles, labels and time of m; borrows both. */
void token_as(const struct node *n, const struct token *t,
    const struct model_token *m, struct token *out);
/* Makes t what m says, and stores it. Returns 0, or negative with e set. */
int token_change(struct node *n, struct token *t, const struct model_token *m,
    struct err *e);
int token_delete(struct node *n, struct token *t, struct err *e);
void token_free(struct token *t);

struct token *token_by_uid(const struct node *n, const char *uid);
struct token *token_find(
    const struct node *n, const struct project *p, const char *name);
unsigned tokens_count(const struct node *n, const struct project *p);

/* The most that it may do in p; p NULL: with the node. */
enum api_role token_role(const struct token *t, const struct project *p);

json_t *token_json(const struct node *n, const struct token *t);

#endif
