/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node: everything that one europad owns, and the way from one thing to
 * another. All of it belongs to the thread of the loop.
 */
#ifndef AGENT_NODE_H
#define AGENT_NODE_H

#include "agent/changes.h"
#include "agent/config.h"
#include "agent/container.h"
#include "agent/plane.h"
#include "agent/store.h"
#include "agent/tokens.h"
#include "agent/uid.h"
#include "api/model.h"
#include "api/server.h"

struct answers;
struct project;
struct router;
struct wiring;
struct wiring_waiter;

enum port_state {
	PORT_UNKNOWN, /* the data plane has not been asked yet */
	PORT_UP,
	PORT_DOWN,
	PORT_PENDING_RESTART, /* opens when the data plane starts again */
	PORT_FAILED,
};

struct port {
	struct port *next;
	struct project *project;
	char wire_name[MODEL_NAME_BYTES]; /* its own in the data plane */
	uint8_t uid[UID_BYTES];
	char uid_text[UID_TEXT];
	char created[32];
	uint64_t generation;
	struct changes changes;
	struct model_port spec;
	enum port_state state;
	char detail[256]; /* why it is not up */
	const char *cure; /* what to do about that; NULL: the usual */
	char driver[32];
	uint8_t mac[6];
	uint64_t count[WIRE_N_PORT_COUNTERS];
	struct api_request *creating; /* waits for the data plane's word; until
	                                 then it is in no store */
	bool lost; /* the connection ended before that word */
};

enum { NODE_MAX_TEMPLATES = 16 };

struct node {
	struct loop *loop;
	struct config cfg;
	struct store *store;
	const struct container_ops *ops;
	void *ops_cookie;
	struct plane *plane;
	struct api_server *api;
	struct answers *answers;
	struct tokens tokens;
	struct project *projects; /* these three in order of creation */
	struct router *routers;
	struct port *ports;
	struct wiring *wiring;          /* links and segments */
	struct wiring_waiter *rewiring; /* who waits for changes of them */
	struct loop_source *kick;       /* timer: reconciles what is dirty */
	struct loop_source *watchdog;
	struct loop_source *beat; /* of the readers of events */
	struct loop_source *usage_timer;
	unsigned n_templates;
	struct node_template {
		char name[MODEL_NAME_BYTES];
		char rootfs[512];
	} template[NODE_MAX_TEMPLATES]; /* those that have been asked for */
	uint64_t mem_bytes;             /* that routers may reserve in all */
	char cpus[CPUS_TEXT];           /* cores that they may run on */
	uint64_t cpu_millis; /* that their quotas may come to; 0 = no limit */
	uint32_t plane_pid;
	bool plane_hugepages;
	unsigned plane_minor;   /* of the messages that it knows */
	unsigned plane_workers; /* as last said; 0 = it has never been here */
	uint8_t (*strays)[WIRE_UID_BYTES]; /* sets of the data plane that no
	                                      router wants */
	unsigned n_strays;
	bool halting; /* every router is to stop, then europad */
	bool stopping;
};

/*
 * Stops every router, and then the loop, whatever the routers' own desired
 * state: that is kept, and made so again when europad next starts.
 */
void node_halt(struct node *n);

/* Reads the store and prepares everything; then loop_run(). */
int node_open(struct node *n, struct err *e);
/* After api_server_stop(): whoever still waits has been answered there. */
/* Tells everybody who waits that europad stops. */
void node_dismiss(struct node *n);
void node_close(struct node *n);

/* What a listener thread found goes through here to the loop. */
void node_accept(void *arg, struct api_request *r);
void node_drain_inbox(void *arg);

struct project *node_project(const struct node *n, const char *name);
/* Names are of a project; NULL has none. */
struct router *node_router(
    const struct node *n, const struct project *p, const char *name);
struct router *node_router_by_uid(struct node *n, const uint8_t uid[16]);
struct port *node_port(
    const struct node *n, const struct project *p, const char *name);

/*
 * The root file system of a template, "" where containers have none; made when
 * it is asked for the first time. NULL: e says why there is none.
 */
const char *node_rootfs(struct node *n, const char *template, struct err *e);

/* Has every router looked at again, soon. */
void node_kick(struct node *n);
/* STATUS= for the service manager. */
void node_report(struct node *n);

/* Ports: objects, the file for the data plane's start, and their replay. */
int ports_write_file(const struct node *n, struct err *e);
void ports_replay(struct node *n);
void ports_refresh(struct node *n); /* asks for state and counters */
void ports_take_info(struct node *n, const struct wire_msg *m);
void port_free(struct port *p);
/* After its uid, project and name: what the data plane calls it. */
void port_name_wire(struct port *p);
int port_load(void *arg, const struct store_port *row);
int port_store(struct node *n, const struct port *p, struct err *e);
int port_post(struct node *n, struct port *p);
/* Says so to who listens if it is another one. */
void port_set_state(struct node *n, struct port *p, enum port_state state);
const char *port_state_text(enum port_state s);

/* RFC 3339, UTC, seconds; buf has room for 32 bytes. */
void node_time_text(char *buf);

#endif
