/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model: the resources of openapi.yaml as C structs, with every default filled
 * in, and the way between them and JSON.
 *
 * Reading is strict: an unknown member, a wrong type, a value out of range, a
 * name that is not a name: each adds one entry with its JSON pointer to the
 * problem, all of them at once. What needs the state of the node (does the port
 * exist, is the address free) is the agent's to check.
 */
#ifndef API_MODEL_H
#define API_MODEL_H

#include "api/problem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum model_limits {
	MODEL_NAME_BYTES = 64,      /* [a-z]([a-z0-9-]{0,61}[a-z0-9])? */
	MODEL_VNIC_NAME_BYTES = 16, /* at most 15 characters */
	MODEL_MAX_VNICS = 32,
	MODEL_MAX_ADDRESSES = 8, /* of one vNIC */
	MODEL_MAX_ALLOW_MACS = 8,
	MODEL_MAX_LABELS = 16,
	MODEL_MAX_RESTARTS = 60, /* per hour */
	MODEL_UID_BYTES = 37,    /* text of a UUID */
	MODEL_MAX_MTU = 9000,
};

struct model_prefix {
	uint8_t family;    /* 4 or 6; 0 = not there */
	uint8_t length;    /* 0..32 or 0..128 */
	uint8_t bytes[16]; /* network order; host bits kept for addresses */
};

enum model_attach {
	MODEL_ATTACH_NONE,
	MODEL_ATTACH_PORT,
	MODEL_ATTACH_VNIC,
	MODEL_ATTACH_SEGMENT, /* by a segment that names it, which is port */
};

/* What may pass; 0 = no limit. rx is from the host to the router. */
struct model_rates {
	uint64_t rx_pps, tx_pps; /* packets per second, at most 10^9 */
	uint64_t rx_bps, tx_bps; /* bits per second, 1000..10^12 */
	uint32_t burst_ms;       /* of each, at once: 1..1000, default 50 */
};

struct model_vnic {
	char name[MODEL_VNIC_NAME_BYTES];
	enum model_attach attach;
	char port[MODEL_NAME_BYTES];   /* attach.port */
	char router[MODEL_NAME_BYTES]; /* attach.router + attach.vnic */
	char peer[MODEL_VNIC_NAME_BYTES];
	uint16_t vlan; /* attach.match.vlan, 1..4094; 0 = untagged */
	bool trunk;    /* attach.trunk */
	uint16_t mtu;  /* 68..9000, default 1500 */
	bool has_mac;  /* false: the agent makes one */
	uint8_t mac[6];
	unsigned n_addresses;
	struct model_prefix address[MODEL_MAX_ADDRESSES];
	unsigned n_allow_macs; /* MACs that it may use beside its own */
	uint8_t allow_mac[MODEL_MAX_ALLOW_MACS][6];
	struct model_rates rates; /* quota of this vNIC */
};

struct model_route {
	struct model_prefix prefix;
	struct model_prefix via;          /* length 32 or 128; family 0: none */
	char vnic[MODEL_VNIC_NAME_BYTES]; /* "" = follows from via */
};

struct model_quota {
	uint32_t cpu_millis;      /* 10..1000000, default 1000 */
	uint64_t mem_bytes;       /* 8 MiB..1 TiB, default 64 MiB */
	uint32_t pids;            /* 4..32768, default 64 */
	uint64_t disk_bytes;      /* 1 MiB..1 TiB, default 16 MiB */
	uint32_t pool_slots;      /* 2..65536, default 1024 */
	uint32_t vnics_max;       /* 1..MODEL_MAX_VNICS, the default */
	char cpu_set[128];        /* "0-1,3"; "" = all that routers have */
	struct model_rates rates; /* of all its vNICs together */
};

/* What follows when its container ends by itself. */
enum model_restart_mode {
	MODEL_RESTART_ALWAYS, /* the default */
	MODEL_RESTART_ON_FAILURE,
	MODEL_RESTART_NEVER,
};

struct model_restart {
	enum model_restart_mode mode;
	uint32_t max_per_hour; /* 0 = no limit, at most MODEL_MAX_RESTARTS */
};

enum model_lease_end { MODEL_LEASE_DELETE, MODEL_LEASE_STOP };

struct model_lease {
	bool is_there;
	uint32_t seconds;   /* from the request on; 0: expires_at */
	int64_t expires_at; /* seconds since 1970 */
	enum model_lease_end end;
};

enum model_power { MODEL_RUNNING, MODEL_STOPPED, MODEL_PAUSED };

struct model_router {
	char name[MODEL_NAME_BYTES];
	char template[MODEL_NAME_BYTES]; /* default "router" */
	enum model_power power;          /* spec.power, default running */
	struct model_quota quota;
	unsigned n_vnics;
	struct model_vnic vnic[MODEL_MAX_VNICS];
	unsigned n_routes;
	struct model_route *route; /* owned */
	char dataplane[256]; /* spec.dataplane: program in the container, "" */
	struct model_restart restart; /* spec.restart_policy */
	bool is_protected;            /* spec.protected */
	struct model_lease lease;     /* spec.lease */
	json_t *labels;               /* object of strings, owned, never NULL */
};

struct model_port {
	char name[MODEL_NAME_BYTES];
	char devargs[512]; /* "net_af_packet0,iface=p0", "0000:01:00.0" */
	uint16_t mtu;      /* 68..9000, default 1500 */
	json_t *labels;
};

enum { MODEL_MAX_MEMBERS = 128 };

/* "router:vnic", or "port:name" */
struct model_end {
	char router[MODEL_NAME_BYTES]; /* "" = a port */
	char vnic[MODEL_VNIC_NAME_BYTES];
	char port[MODEL_NAME_BYTES];
};

/* What a link does in one direction; see struct wire_impair in lib/wire.h. */
struct model_impair {
	uint64_t seed;      /* 0..2^53-1: what JSON keeps */
	uint64_t rate_bps;  /* 0, or 1000..10^12 */
	uint32_t delay_us;  /* 0..10 s */
	uint32_t jitter_us; /* at most delay_us */
	uint32_t loss_ppm, duplicate_ppm, reorder_ppm;
	uint32_t burst_begin_ppm, burst_end_ppm, burst_loss_ppm;
	uint32_t queue_packets; /* 1..16384, default 1000 */
};

/* What of a port a link means beside the vNIC's MAC, broadcasts and multicasts. */
struct model_match {
	uint16_t vlan; /* 1..4094; 0 = untagged */
	bool has_mac, has_vni, has_gre_key;
	uint8_t mac[6];               /* destination */
	struct model_prefix src, dst; /* family 0: any; else the same one */
	uint8_t protocol;             /* 0 = any */
	uint16_t src_port, dst_port;  /* 0 = any */
	uint32_t tunnel_key;          /* the VNI, or the key of GRE */
};

enum model_wiring_kind { MODEL_LINK, MODEL_SEGMENT };
enum model_direction { MODEL_FORWARD, MODEL_REVERSE, MODEL_N_DIRECTIONS };

/* A link has two ends; a segment has members. */
struct model_wiring {
	enum model_wiring_kind kind;
	char name[MODEL_NAME_BYTES];
	unsigned n_ends;
	struct model_end end[MODEL_MAX_MEMBERS];
	/* of a link */
	struct model_match match; /* at its port */
	bool trunk;
	struct model_impair
	    impair[MODEL_N_DIRECTIONS]; /* from end 0: FORWARD */
	json_t *labels;
};

void model_wiring_init(struct model_wiring *w, enum model_wiring_kind kind);
void model_wiring_clear(struct model_wiring *w);
/* As model_router_read(); out says which kind is read. */
int model_wiring_read(struct model_wiring *out, const json_t *body,
    const char *name, struct problem *p);
json_t *model_wiring_spec(const struct model_wiring *w);
void model_end_text(const struct model_end *e, char *buf, size_t size);
/* Does it match by more than the VLAN? */
bool model_match_is_rule(const struct model_match *m);
bool model_impair_is_active(const struct model_impair *i);

void model_router_init(struct model_router *r); /* all defaults */
void model_router_clear(struct model_router *r);
void model_port_init(struct model_port *p);
void model_port_clear(struct model_port *p);

/*
 * Reads {"name", "labels", "spec"} (also accepted and ignored, so that what GET
 * returned can be PUT: kind, project, uid, generation, created, status). name,
 * if not NULL, is what the URL says: a missing name is it, another one is an
 * error. Returns 0 and replaces what out held (which was initialised), or
 * -EINVAL with entries added to p and out as it was. Context: any thread.
 */
int model_router_read(struct model_router *out, const json_t *body,
    const char *name, struct problem *p);
int model_port_read(struct model_port *out, const json_t *body,
    const char *name, struct problem *p);

/*
 * Why a device of DPDK is not for everybody who may make ports, or NULL if it
 * is: some devices run commands and write files, as root.
 */
const char *model_devargs_risk(const char *devargs);

/* One vNIC; at is the JSON pointer of v, e.g. "/spec/vnics/0" or "". */
int model_vnic_read(
    struct model_vnic *out, const json_t *v, const char *at, struct problem *p);

/*
 * The objects of their own addresses, whole, as GET returns them: {"limit"} of
 * a quota, {"spec"} of the vNIC that is called name. The rest of what GET shows
 * is accepted and ignored. Return 0, or -EINVAL with out as it was.
 */
int model_quota_read(
    struct model_quota *out, const json_t *body, struct problem *p);
int model_vnic_object_read(struct model_vnic *out, const json_t *body,
    const char *name, struct problem *p);

/*
 * {"routes":[...]}: replaces r's routes. A router without vNICs is a probe: then
 * only the form is checked, not whether a route leads somewhere.
 */
int model_routes_read(
    struct model_router *r, const json_t *body, struct problem *p);

/* The spec object with every default; new reference, NULL without memory. */
json_t *model_router_spec(const struct model_router *r);
json_t *model_quota_json(const struct model_quota *q);
/* Sets the members of r in the object o. */
void model_rates_put(json_t *o, const struct model_rates *r);
json_t *model_vnic_json(const struct model_vnic *v);
/* Is mac among its allow_macs? */
bool model_vnic_lists(const struct model_vnic *v, const uint8_t mac[6]);
json_t *model_routes_json(const struct model_router *r); /* the list */
json_t *model_port_spec(const struct model_port *p);

/* RFC 7396: applies patch to target in place. Returns 0 or -ENOMEM. */
int model_merge_patch(json_t **target, const json_t *patch);

/* Text of a prefix ("198.18.0.1/24"), of an address without length, of a MAC. */
void model_prefix_text(const struct model_prefix *p, char *buf, size_t size);
void model_address_text(const struct model_prefix *p, char *buf, size_t size);
void model_mac_text(const uint8_t mac[6], char *buf, size_t size);

bool model_name_is_valid(const char *s);

/* RFC 3339 in UTC, to the second, and back; false: s is none. */
bool model_time_parse(const char *s, int64_t *out);
void model_time_text(int64_t t, char *buf, size_t size);

const char *model_power_text(enum model_power p);
int model_power_parse(const char *s); /* enum model_power or -EINVAL */

#endif
