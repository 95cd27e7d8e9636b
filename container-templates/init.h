/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init: the parts of europa-init, the first process of a router's container.
 *
 *	init.c		the program: options, signals, the two parts together
 *	init_link.c	the socket to europad: what it says, what it is told
 *	init_child.c	the data plane process: start, watch, end, statistics
 *	init_conf.c	router.conf: checks and writes it
 *	init_service.c	a second program of the template, if it has one
 *	init_relay.c	europad's way to the router's own socket
 *	init_session.c	processes that europad has run here
 *	init_file.c	one of them: a file, to europad or from it
 *	init_log.c	what all of them log, to europad
 *
 * init holds the shared memory's descriptors for the container's life, so that
 * a data plane that dies is started again within milliseconds, with europad or
 * without. It trusts europad; it does not trust the child, which is the
 * tenant's program: what comes from it is decoded strictly, and at worst the
 * child loses its socket.
 */
#ifndef TEMPLATES_INIT_H
#define TEMPLATES_INIT_H

#include "lib/loop.h"
#include "lib/wire.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	INIT_MAX_WORDS = 16,
	INIT_MAX_CONF_BYTES = 8 << 20,
	INIT_MAX_PIPELINE_BYTES = 256 << 10,
	INIT_MAX_RELAYS = 8,
	INIT_MAX_SESSIONS = 8,
	INIT_MAX_FILE_BYTES = 16 << 20,
};

/* The words of the "dataplane" line: a program and its arguments. */
struct init_command {
	char text[1024];
	char *argv[INIT_MAX_WORDS + 1]; /* into text */
};

/* ---- init_conf.c ---- */

#define INIT_DATAPLANE "/etc/europa/dataplane"

/*
 * The first line of the file at path, if there is one, is the command of
 * configurations that name none; else it is europa-router.
 */
void init_conf_default(const char *path);
/*
 * Reads and checks what came with INIT_CONFIG (fd is borrowed), and writes it
 * to dir/router.conf unless that is its content already. Returns 0 with the
 * command, or negative errno: -EFBIG, -EBADMSG (not complete or not text).
 */
int init_conf_take(int fd, const char *dir, struct init_command *out);
/*
 * Writes what came with INIT_PIPELINE (fd is borrowed) to dir/pipeline.lua,
 * where the router looks. Returns 0 or negative errno.
 */
int init_conf_take_pipeline(int fd, const char *dir);
/* Reads the command of a router.conf that an earlier init left, or -ENOENT. */
int init_conf_command(const char *text, size_t n, struct init_command *out);
bool init_command_equal(
    const struct init_command *a, const struct init_command *b);
void init_command_copy(
    struct init_command *to, const struct init_command *from);

/* ---- init_child.c ---- */

struct init_child {
	struct loop *loop;
	const char *conf_dir;
	const char *log_path; /* NULL: the child has init's stderr */
	struct vnic_fds fds;  /* owned; host < 0: none yet */
	bool has_command;
	struct init_command command;

	pid_t pid; /* 0: does not run */
	uint32_t starts;
	/* of wait(2), of the last end; above it the errno of a failed exec */
	uint32_t status;
	uint32_t last_end; /* the same, 0 if init wanted it to end */
	uint64_t started_ms;
	unsigned backoff_ms; /* before the next start; 0: at once */
	bool ending; /* it was told to: start the next without back-off */
	struct loop_source *start_timer;
	struct loop_source *kill_timer;

	int exec_fd;    /* an errno comes here if exec fails; or -1 */
	int control_fd; /* our end of EUROPA_CONTROL_FD, or -1 */
	struct loop_source *on_control;
	uint32_t sequence; /* id of the STATS_GET on its way */
	uint32_t stats_id; /* europad's id for the answer; 0: none wanted */
	uint64_t asked_ms;

	/* both may be NULL */
	void (*changed)(void *arg);
	void (*stats)(void *arg, const struct wire_msg *m);
	void *arg;
};

/* Returns 0 or negative errno. */
int init_child_open(struct init_child *c, struct loop *l);
/* Starts the process if all that it needs is there and it does not run. */
void init_child_start(struct init_child *c);
/* SIGTERM, SIGKILL half a second later; the next start follows at once. */
void init_child_restart(struct init_child *c);
/* Told of each process that ended; true if it was this one. */
bool init_child_reaped(struct init_child *c, pid_t pid, int status);
/* Asks it for its statistics, in the name of europad's request id. */
void init_child_ask_stats(struct init_child *c, uint32_t id);
/* Takes the fds. The process is started anew. */
void init_child_set_fds(struct init_child *c, const struct vnic_fds *fds);
void init_child_set_command(struct init_child *c, const struct init_command *k);

/* ---- init_service.c ---- */

#define INIT_SERVICE "/etc/europa/service"

struct init_service {
	char *path;
	pid_t pid; /* 0: does not run */
	uint64_t started_ms;
	unsigned backoff_ms; /* before the next start */
	struct loop_source *timer;
};

/* Starts the program at path (borrowed), if there is one. */
int init_service_open(struct init_service *s, struct loop *l, char *path);
/* Told of each process that ended; true if it was this one. */
bool init_service_reaped(struct init_service *s, pid_t pid, int status);
/* Tells it to end. */
void init_service_stop(const struct init_service *s);

/* ---- init_relay.c ---- */

struct init_relay;

/*
 * Joins fd (taken) with the socket that the router has at dir/router.sock, until
 * one of the two ends. Returns 0, -ECONNREFUSED or -ENOENT (no router listens),
 * -EBUSY (too many), or another negative errno; fd is closed then.
 */
int init_relay_new(struct loop *l, const char *dir, int fd);

/* ---- init_session.c ---- */

struct init_session_config {
	uint8_t kind;           /* enum wire_session */
	uint16_t rows, columns; /* of a console */
	const char *root;       /* where files are, "/" */
};

/*
 * Begins a session on fd (taken), which speaks pieces. Returns 0, -EBUSY (too
 * many), or another negative errno; fd is closed then.
 */
int init_session_new(
    struct loop *l, int fd, const struct init_session_config *c);
/* Told of each process that ended; true if it was one of these. */
bool init_session_reaped(pid_t pid, int status);

/* ---- init_log.c ---- */

/* The log at path (NULL: there is none), which is there. Returns 0. */
int init_log_open(struct loop *l, const char *path);
/* Where it goes from now on (taken). Returns 0 or negative errno. */
int init_log_attach(int fd);

/* ---- init_file.c ---- */

/*
 * europa-init --file ROOT read PATH | write PATH BYTES WANT [dry], as a process of
 * its own, with the file's content as its output or input; before it, or alone, a
 * line with the tag of the content. WANT is any, * (one that is there) or =TAG;
 * with another one there it is left, and that one's tag is said. Returns an exit
 * status: 0, ESTALE for that, or another errno. get PATH and put PATH BYTES have
 * no tags.
 */
int init_file_main(int argc, char *const *argv);

/* ---- init_link.c ---- */

struct init_link {
	struct loop *loop;
	struct init_child *child;
	const char *socket_path;
	const char *conf_dir;
	const char *root;            /* where europad's files are, "/" */
	uint8_t set[WIRE_UID_BYTES]; /* that we hold */

	int fd; /* -1: not connected */
	struct loop_source *source;
	struct loop_source *retry_timer;
	unsigned retry_ms;
};

/* Begins to connect. Returns 0 or negative errno. */
int init_link_open(struct init_link *k, struct loop *l);
/* Tells europad how the child is, if europad is there. */
void init_link_send_state(struct init_link *k);
void init_link_send(struct init_link *k, const struct wire_msg *m);

#endif
