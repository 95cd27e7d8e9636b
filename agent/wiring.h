/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wiring: links and segments: what joins vNICs that say nothing of it
 * themselves. A vNIC without attach may be named by one link or segment; what
 * that makes of it is asked with wiring_attach(), and all else goes on as if
 * the vNIC had said it. A router or vNIC that is named need not be there yet.
 *
 * Nothing here is said to the data plane: routers say what their vNICs are
 * (router_plane.c), each time anything has changed.
 */
#ifndef AGENT_WIRING_H
#define AGENT_WIRING_H

#include "agent/changes.h"
#include "agent/node.h"
#include "agent/project.h"

struct wiring {
	struct wiring *next;
	uint8_t uid[UID_BYTES];
	char uid_text[UID_TEXT];
	char created[32];
	uint64_t generation;
	struct changes changes;
	const struct project *project;
	struct model_wiring spec;
};

const char *wiring_kind_text(enum model_wiring_kind kind); /* "link" */

/* Names are of a project; all that is named by a link is of its own. */
struct wiring *wiring_by_name(const struct node *n, const struct project *p,
    enum model_wiring_kind kind, const char *name);
/* The one that names a vNIC, or NULL; *end is which of its ends that is. */
const struct wiring *wiring_of(const struct node *n, const struct project *p,
    const char *router, const char *vnic, unsigned *end);

/* Makes one and puts it last; takes spec. NULL without memory. */
struct wiring *wiring_new(struct node *n, const struct project *p,
    const uint8_t uid[UID_BYTES], struct model_wiring *spec);
void wiring_free(struct node *n, struct wiring *w);
int wiring_load(void *arg, const struct store_object *row);
int wiring_store(struct node *n, const struct wiring *w,
    const struct model_wiring *spec, uint64_t generation, struct err *e);

/*
 * v as its link or segment makes it: v itself if none names it, else a copy in
 * buf with the attach that follows from it.
 */
const struct model_vnic *wiring_attach(const struct node *n,
    const struct project *p, const char *router, const struct model_vnic *v,
    struct model_vnic *buf);
void wiring_segment_uid(const struct node *n, const struct project *p,
    const char *name, uint8_t uid[WIRE_UID_BYTES]);
/* What its link does to the packets of a vNIC; zeros: nothing. */
void wiring_impair(const struct node *n, const struct project *p,
    const char *router, const char *vnic, struct wire_impair out[WIRE_N_WAYS]);
/* What else of a port its link means for a vNIC; zeros: nothing. */
void wiring_match(const struct node *n, const struct project *p,
    const char *router, const char *vnic, struct wire_match *out);
/*
 * No frame of a port is meant by two links, nor by a link and the MAC of a vNIC.
 * Returns 0, or -EEXIST with p set. spec is not yet among those of the node; old
 * is what it would replace, or NULL.
 */
int wiring_check_match(struct node *n, const struct project *project,
    const struct model_wiring *spec, const struct wiring *old,
    struct problem *p);
/*
 * The link that means frames to mac of the port that v, which wiring_attach()
 * gave, is attached to; not one of v's own router. NULL: none does.
 */
const struct wiring *wiring_by_mac(const struct node *n,
    const struct project *project, const char *router,
    const struct model_vnic *v, const uint8_t mac[6]);
/* Is there a link to this port? Then buf says which. */
bool wiring_uses_port(
    const struct node *n, const struct port *port, char *buf, size_t size);

/*
 * "mac", "allow_macs" or "addresses": what two vNICs on one segment or VLAN of
 * a port may not share and do; NULL: all is well, or they do not hear each
 * other.
 */
const char *wiring_clash(
    const struct model_vnic *a, const struct model_vnic *b);
/*
 * May spec be, beside all others? old is what it would replace, or NULL. The
 * second one asks the same of the vNICs of a router, whose MTUs may have grown.
 * Return 0, or negative with p set.
 */
int wiring_check(struct node *n, const struct project *project,
    const struct model_wiring *spec, const struct wiring *old,
    struct problem *p);
int wiring_check_router(struct node *n, const struct project *project,
    const struct model_router *spec, struct problem *p);

json_t *wiring_json(struct node *n, const struct wiring *w);
/* Answers rq with w as it is by now; 201 says where it is, too. */
void wiring_answer(
    struct node *n, const struct wiring *w, struct api_request *rq, int status);
/*
 * The one of that uid was made, changed or deleted by rq. That is said to the
 * data plane now, and rq answered with status when it has agreed, or with 504;
 * with "Prefer: respond-async" 202 at once.
 */
void wiring_wait(struct node *n, struct api_request *rq,
    const uint8_t uid[UID_BYTES], int status);
/* Answers those for whom all is said and answered, or whose time is over. */
void wiring_settle(struct node *n);
/* The data plane has refused something of r. */
void wiring_refused(struct node *n, const struct router *r, const char *text);
/* The data plane is away: all will have to be said again. */
void wiring_lost(struct node *n);
/* Answers all of them with p. */
void wiring_dismiss(struct node *n, const struct problem *p);
void wiring_etag(const struct wiring *w, char *buf, size_t size);

#endif
