/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_rig: a server on a socket in a folder of its own, and a handler of a few
 * lines. Requests for the router "later" are kept, for the test to answer; all
 * others are answered at once with what the handler saw.
 */
#ifndef TESTS_API_RIG_H
#define TESTS_API_RIG_H

#include "api/server.h"

#include "api_client.h"

#include <pthread.h>
#include <stdatomic.h>

enum { RIG_MAX_KEPT = 128, RIG_DEADLINE_MS = 5000 };

/* What the rig takes for a token of its own. */
#define RIG_SECRET "open-sesame"
#define RIG_BEARER "Authorization: Bearer " RIG_SECRET "\r\n"

extern struct api_rig {
	char dir[64];
	char socket[96];
	char web[96];
	unsigned tcp_port;
	struct api_server *server;
	atomic_bool token_ends; /* once its secret has been looked at */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned n_handled;                     /* under the lock */
	unsigned n_kept;                        /* the same */
	struct api_request *kept[RIG_MAX_KEPT]; /* the same */
} rig;

/* Of a group of tests. */
int rig_setup(void **state);
int rig_teardown(void **state);

void rig_start(void);
void rig_handle(void *arg, struct api_request *r);

/* Waits until the handler keeps n requests. */
void rig_wait_for_kept(unsigned n);
/* How many requests the handler has seen. */
unsigned rig_handled(void);

/* One request on a connection of its own. */
void rig_ask(struct client_answer *a, const char *method, const char *target,
    const char *headers, const char *body);
json_t *rig_json_of(const struct client_answer *a);
/* The answer is a whole problem document with this code. */
void rig_expect_code(struct client_answer *a, int status, const char *code);

#endif
