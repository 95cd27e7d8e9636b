/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router: one virtual router as europad sees it: what is wanted (spec, from the
 * store) and what is (memory, data plane, container, init).
 *
 * router_reconcile() compares the two and takes the next step. It may be called
 * at any time and any number of times; every event only calls router_kick(). A
 * step that failed is tried again later, a step that is under way is waited
 * for. Killing europad between any two steps is harmless, for the next one
 * looks at what is, not at what it remembers.
 */
#ifndef AGENT_ROUTER_H
#define AGENT_ROUTER_H

#include "agent/changes.h"
#include "agent/ctlclient.h"
#include "agent/initlink.h"
#include "agent/node.h"
#include "agent/pipelines.h"
#include "agent/project.h"
#include "agent/routefile.h"
#include "agent/router_care.h"
#include "agent/router_log.h"
#include "agent/spec_view.h"
#include "agent/uid.h"
#include "agent/wiring.h"

enum router_state {
	ROUTER_PENDING,
	ROUTER_PREPARING,
	ROUTER_STOPPED,
	ROUTER_STARTING,
	ROUTER_RUNNING,
	ROUTER_PAUSED,
	ROUTER_DEGRADED,
	ROUTER_STOPPING,
	ROUTER_QUARANTINED,
	ROUTER_FAILED,
	ROUTER_DELETING,
};

/* A vNIC as the data plane knows it; its place in the array is its index. */
struct router_vnic {
	bool used;
	bool sent;             /* what is in wire has been said */
	struct wire_vnic wire; /* last said */
	bool link_sent;
	struct wire_link link; /* last said: how its link behaves */
	bool macs_sent;
	struct wire_macs macs;           /* last said: what else it may be */
	uint32_t burnt[VNIC_MAX_QUEUES]; /* epochs in which it was removed */
};

struct visit;

/* A client that waits for the router to become what it asked for. */
struct waiter {
	struct waiter *next;
	struct api_request *request;
	int status; /* of the good answer: 200, 201, 204 */
	uint64_t deadline_ms;
	bool wants_config; /* the configuration has to be in force, too */
	bool wants_stats;  /* a fresh answer of the router process */
	bool wants_usage;  /* counters, some time after the request */
	uint64_t asked_ms;
};

/* What passed between the host and a router, by direction: rx, tx. */
struct router_traffic {
	uint64_t ms; /* when this was so; 0 = never read */
	uint64_t packets[2];
	uint64_t bytes[2];
	uint64_t cpu_ns; /* of its container, or CONTAINER_UNKNOWN */
};

struct router_usage {
	uint64_t window_ms; /* the time that these are the mean of */
	uint64_t pps[2];
	uint64_t bps[2];
	uint64_t cpu_millis; /* or CONTAINER_UNKNOWN */
};

struct router {
	struct router *next;
	struct node *node;

	/* wanted */
	uint8_t uid[UID_BYTES];
	char uid_text[UID_TEXT];
	struct project *project;
	uint32_t id_index;
	uint64_t generation;
	struct changes changes;
	char created[32];
	struct model_router spec;
	bool deleting;

	/* memory */
	bool has_memory;
	uint8_t set[WIRE_UID_BYTES];
	struct vnic_fds fds;
	struct vnic_layout layout;
	void *host; /* read-only mapping, for epochs and counters */
	uint32_t old_epoch[VNIC_MAX_QUEUES]; /* over, or soon to be; 0 none */

	/* data plane */
	bool set_sent;
	bool set_known; /* it has said OK, or told us of it */
	int gate_sent;  /* enum wire_gate, -1 = none */
	uint32_t slots_sent;
	struct wire_rates rates_sent;
	unsigned n_unanswered; /* sentences to the data plane */
	bool reset_said;       /* its epochs are to end: a vNIC has no index */
	struct router_vnic vnic[VNIC_MAX_VNICS];
	uint32_t quarantined; /* a bit per queue */
	uint32_t stalled;

	/* container */
	bool known;  /* asked at least once since europad started */
	bool busy;   /* an operation is under way */
	bool ending; /* it is one that ends the container */
	struct container_status container;
	struct container_limits limits_asked;
	uint64_t running_since_ms;
	uint64_t attached_ms; /* when its queues were last seen in RUN */
	int pid_fd;
	struct loop_source *pid_source;
	unsigned start_failures;
	uint64_t not_before_ms; /* nothing is tried again before this */
	uint64_t backoff_ms;    /* doubles while it dies young */

	/* what is done for it unasked, see router_care.h */
	struct faults faults;
	struct router_lease lease;
	struct loop_source *care; /* timer */

	/* init */
	struct initlink *link;
	uint8_t init_set[WIRE_UID_BYTES]; /* the memory that init holds */
	uint64_t config_sent;             /* generation, 0 = none */
	uint64_t config_ms;               /* when it was sent */
	uint64_t probed_ms;               /* when it was last asked for */
	uint64_t config_in_force;         /* generation, as its process says */
	bool process_running;
	uint32_t process_starts;
	uint32_t process_error; /* errno of its exec, 0: its program is there */
	uint64_t process_end_ms; /* when the log heard of one last */
	struct wire_msg *stats; /* last answer of the router process, or NULL */
	uint64_t stats_ms;
	struct router_traffic traffic; /* counters, as read last */
	struct router_usage usage;     /* between two looks at them */
	struct usage_seen used;        /* by its project, see usage.h */

	/* what it runs, see router_live.c */
	struct ctlclient *ctl;  /* its own socket; lives as link does */
	struct ctlclient *bulk; /* the same, for whole tables */
	struct pipelines pipelines;
	struct routefile routes;
	bool routes_given;      /* the container has those of the file */
	bool routes_on_way;     /* they are being given, or changed */
	bool pipeline_on_way;   /* it is being changed */
	bool pipeline_suspect;  /* its process ended: what runs now? */
	uint64_t look_after_ms; /* the next question for that */
	uint64_t give_after_ms; /* the next try */
	uint64_t give_backoff_ms;
	struct router_log log;
	struct visit *visits; /* see visit.h */
	json_t *drops; /* as the process told for the last GET, or NULL */

	/* what clients see */
	struct spec_view *spec_view;
	enum router_state state;
	enum router_state told; /* of the log and readers of events */
	uint64_t told_ms;       /* when its program made it change last */
	char since[32];
	bool failed;
	char fail_detail[512];
	char fail_remedy[256];
	uint64_t observed_generation;
	struct waiter *waiters;
	struct loop_source *timer; /* retries, deadlines, probes */
	bool dirty;
	bool restarting; /* stop once, then what the spec says */
};

/* Makes the object, without any effect. Takes spec. NULL without memory. */
struct router *router_new(struct node *n, struct project *p,
    const uint8_t uid[UID_BYTES], uint32_t id_index, struct model_router *spec);
/* Lets go of everything, and of who waits, without ending anything. */
void router_free(struct router *r);

/* It is to go, and this is on disk. Who waits for it is told. */
int router_begin_delete(struct router *r, struct err *e);
/* {"labels", "spec"} */
json_t *router_wish_json(const struct model_router *spec);
int router_load(void *arg, const struct store_router *row);
int router_store(struct node *n, const struct router *r,
    const struct model_router *spec, uint64_t generation, struct err *e);

/* Has it reconciled at the next turn of the loop. */
void router_kick(struct router *r);
void router_reconcile(struct router *r);

/* Memory: a set for the spec, or the one that the data plane still holds. */
int router_make_memory(struct router *r, struct err *e);
int router_adopt_memory(struct router *r, struct wire_msg *m);
void router_drop_memory(struct router *r);
void router_geometry(const struct node *n, const struct model_router *spec,
    struct vnic_geometry *out);

/* Says to the data plane what it has to know; all of it is idempotent. */
void router_sync_plane(struct router *r);
void router_plane_lost(struct router *r);
/* What its process served is over: 0, or negative errno if nobody heard. */
int router_end_epochs(struct router *r);
/* true until the data plane has agreed to all that is wanted */
bool router_plane_owes(const struct router *r);
/* The index of a vNIC, -1 if it has none yet. */
int router_vnic_index(const struct router *r, const char *name);
/* An index for v, -1 if all are used or burnt, see router_indices.c. */
int router_take_index(struct router *r, const struct model_vnic *v);
/* Index i is nobody's, and no other's until all that runs now has ended. */
void router_burn_index(struct router *r, unsigned i);
bool router_has_burnt_index(const struct router *r);

/* The container's operations, with their results kept in r. */
void router_container_query(struct router *r);
void router_container_start(struct router *r);
void router_container_stop(struct router *r);
void router_container_freeze(struct router *r);
void router_container_thaw(struct router *r);
void router_container_limit(struct router *r);
/* What is to be in force of its container. */
void router_limits(const struct router *r, struct container_limits *out);
void router_container_destroy(struct router *r);

/* Its data plane has ended with a status of INIT_STATE, see lib/wire.h. */
void router_program_ended(struct router *r, uint32_t status);
/* Why its data plane's program cannot be run; false: it can, or nobody knows. */
bool router_program_flaw(const struct router *r, char *buf, size_t size);

/* init */
int router_listen(struct router *r, struct err *e);
void router_sync_init(struct router *r);
/* The text of router.conf; the caller frees it. NULL without memory. */
char *router_config_text(const struct router *r);
void router_run_dir(const struct router *r, char *buf, size_t size);

/* Reads what is on disk of its pipelines and routes, and removes it. */
void router_live_load(struct router *r);
void router_live_remove(const struct router *r);
void router_live_sweep(struct node *n);
/* The link is there, or is about to go. Returns 0 or negative errno. */
int router_live_open(struct router *r);
void router_live_close(struct router *r);
/* init has come; fresh: its container knows nothing of what came before. */
void router_live_hello(struct router *r, bool fresh);
/* Gives what a fresh container has to have before its first process starts. */
void router_give_pipeline(struct router *r);
/* The process serves: gives routes that it has not got, looks what it runs. */
void router_sync_live(struct router *r);
/* There is more in its log: see ops_logs.c. */
void router_tell_followers(struct router *r);
/* true if the process can be asked */
bool router_is_live(const struct router *r);
/* The container has the routes of the file, or has not. */
void router_set_given(struct router *r, bool given);
/*
 * A change goes to the container before it goes to disk: a europad that starts
 * in between gives what is on disk. Until router_set_given(). 0 or negative errno.
 */
int router_doubt_given(struct router *r, struct err *e);
/* Learns from {"running", "revisions"} whether the wanted pipeline has failed. */
void router_note_pipelines(struct router *r, const json_t *said);

/* true if every queue is in RUN, of an epoch that was expected */
bool router_is_attached(const struct router *r);
/* The process is being replaced: the epochs that run now do not count. */
void router_expect_epoch(struct router *r);
/* true if limits were changed and not yet asked for */
bool router_limits_are_due(const struct router *r);
enum router_state router_find_state(const struct router *r);
const char *router_state_text(enum router_state s);
void router_fail(struct router *r, const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Answers rq when r is what it wants (status), or says what is wrong; with
 * "Prefer: respond-async" 202 at once.
 */
void router_wait(
    struct router *r, struct api_request *rq, int status, bool wants_config);
/* Answers rq with the counters, fresh ones if the router process tells. */
void router_wait_stats(struct router *r, struct api_request *rq);
/* Answers rq with the quota, when there is something to say of its use. */
void router_wait_usage(struct router *r, struct api_request *rq);
void router_answer_waiters(struct router *r);
/* Answers everybody with a problem, or with status and no body. */
void router_dismiss_waiters(
    struct router *r, int status, const struct problem *p);

/*
 * JSON for clients. The spec in that of a router belongs to its spec_view, too:
 * whoever wants it otherwise changes a copy.
 */
json_t *router_json(const struct router *r);
/* The object that a change by rq answers with. */
json_t *router_answer_json(struct router *r, const struct api_request *rq);
json_t *router_vnic_object(const struct router *r, const struct model_vnic *v);
const struct model_vnic *router_find_vnic(
    const struct router *r, const char *name);
json_t *router_quota_json(struct router *r);
/* What its container uses now; nothing is known of one that does not run. */
void router_container_use(const struct router *r, struct container_use *out);
/* What its counters say now; it has memory. */
void router_read_traffic(const struct router *r, struct router_traffic *out);
/* Begins a time of which the use is told; how long it has lasted, ms. */
void router_usage_begin(struct router *r);
uint64_t router_usage_age_ms(const struct router *r);
/* The data plane has it, and the other end is there; v is wiring_attach()'s. */
bool router_vnic_is_attached(
    const struct router *r, const struct model_vnic *v, int index);
json_t *router_vnic_json(const struct router *r, const struct model_vnic *v);
json_t *router_stats_json(struct router *r);
/* The part of it that only the host counts: a list, an object per vNIC. */
json_t *router_vnic_stats_json(const struct router *r);
/* Epochs of its memory that have ended, all or those by faults. */
uint64_t router_epochs_ended(const struct router *r, bool by_faults);
/* What passes per second now; begins a new time of which it is told. */
json_t *router_rates_json(struct router *r);
void router_etag(const struct router *r, char *buf, size_t size);

/* How many fast paths it has, as it is to be. */
unsigned router_fast_paths(const struct router *r);

/* What is reserved for all routers, or all but one: the memory of admission. */
struct check_reserved {
	uint64_t mem_bytes;  /* of their containers */
	uint64_t pool_bytes; /* of their packet pools */
};
struct check_reserved check_reserved(
    const struct node *n, const struct router *without);

/*
 * Checks a spec for a project against the node: ports, peers, addresses, quota,
 * memory. old is the router that it would replace, or NULL. Returns 0 or
 * negative with p set.
 */
int check_router(struct node *n, const struct project *project,
    const struct model_router *spec, const struct router *old,
    struct problem *p);
/* The part of it that is about allow_macs, but for those of other vNICs. */
int check_allow_macs(struct node *n, const struct project *project,
    const struct model_router *spec, struct problem *p);

#endif
