/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl: what is said on the router's own socket, CTL_SOCKET in the folder of its
 * router.conf: a unix stream socket, mode 0600, of the container's root. Its
 * clients are routerctl and the node; the router trusts neither, and they do
 * not trust it: each bounds what it reads by the limits below.
 *
 *	request = LINE BODY     LINE: words with one space between them, the last
 *	                        of them the length of BODY in decimal, and "\n"
 *	answer  = "ok LEN\n" JSON  or  "error LEN\n" JSON
 *
 * Requests may be sent before answers have come; answers come in their order,
 * and the next request is not begun before the answer to this one is out. The
 * JSON is one object, ended by a newline that LEN counts. That of an error:
 *
 *	{"error": "why, for a person", "code": "...", "line": 3}
 *
 * with one of the codes of ctl_code_name(), and the line of BODY if there is
 * one. After an error in LINE itself (code "malformed") the router closes.
 *
 *	show WHAT [source S] [after CURSOR] 0
 *	        routes       {"routes": [ROUTE...], "next": "CURSOR"}
 *	                     next is there if there is more, and goes back as it
 *	                     is; CTL_PAGE routes at a time, sorted within a source:
 *	                     connected, static, api, linux. S is one of these.
 *	                     Own networks are in the first page, all of them.
 *	        neighbours   {"neighbours": [{"address", "interface", "mac",
 *	                     "state", "waiting", "due_ms"}...]}; mac: null = not
 *	                     known; waiting: packets; due: the state's end
 *	        interfaces   {"interfaces": [{"name", "index", "mac", "mtu", "up",
 *	                     "addresses": [...]}...]}
 *	        counters     {"generation", "counters": {NAME: N...}}
 *	        drops        {"drops": [{"module", "reason", "packets"}...]}, those
 *	                     that are not 0
 *	        pipeline     {"running": N, "revisions": [REVISION...]}
 *	show revision N 0    REVISION with "text"
 *	change routes LEN    BODY: lines, in this order carried out:
 *	                         add PREFIX [via ADDRESS] [dev VNIC]
 *	                         delete PREFIX
 *	                     All lines are understood and lead somewhere, or none
 *	                     is carried out. {"added": N, "changed": N,
 *	                     "deleted": N, "missing": N}; missing: deleted, but not
 *	                     there. When it is answered the fast paths know.
 *	replace routes begin 0   a new whole table is begun by this client (one
 *	                         client at a time, else "busy"); nobody sees it
 *	replace routes add LEN   BODY: lines as above, any number of times;
 *	                         {"routes": N}, all that it has
 *	replace routes end 0     it takes the place of all routes of source api, at
 *	                         once for each packet; {"routes": N}
 *	replace routes cancel 0  or the end of the connection: forgotten
 *	put pipeline AUTHOR LEN  BODY: its text. Answered when its check has ended:
 *	                         REVISION
 *	rollback pipeline N 0    REVISION; 0 = what the router brings along
 *	time pipeline MS 0       measures for MS (at most CTL_MAX_TIME_MS):
 *	                         {"ms", "packets", "steps": [{"step", "packets",
 *	                         "ns_per_packet"}...]}, receive first, transmit
 *	                         and give_back last
 *	trace packet LEN         BODY: one line of words and values:
 *	                             src A dst A [in VNIC] [ttl N] [len N]
 *	                             [icmp|tcp [PORT]|udp [PORT]|proto N]
 *	                             [sport N] [dport N] [df]
 *	                         {"pipeline": N, "steps": [{"step", "result"}...],
 *	                         "fate", "by", "why", "interface", "gateway",
 *	                         "mac"}; fate: "forwarded" or the name of a
 *	                         counter; why: the pipeline's error, if any
 *
 *	ROUTE     {"prefix", "source", "gateway", "interface", "active"}; gateway:
 *	          null = on the link; interface: null = it ends here (an address
 *	          or a blackhole of the kernel's). Not active: it leads nowhere now, or one of
 *	          a preferred source has the same prefix.
 *	REVISION  {"number", "state", "previous", "time", "sha256", "author", "why"}
 *	          state: checking, refused, running, replaced, failed.
 *
 * Of equal prefixes the order of preference is connected, static, api, linux.
 * Routes of source api live as long as the container: when a change of them is
 * answered they are in CTL_JOURNAL for the router's next process
 * (router/journal.h).
 */
#ifndef ROUTER_CTL_H
#define ROUTER_CTL_H

#define CTL_SOCKET "router.sock"
#define CTL_JOURNAL "routes.api"

enum ctl_limits {
	CTL_MAX_CLIENTS = 16,     /* more are closed with error "busy" */
	CTL_MAX_LINE = 256,       /* bytes of LINE, its end included */
	CTL_MAX_BODY = 64 << 10,  /* of all requests but put pipeline */
	CTL_MAX_TEXT = 256 << 10, /* of put pipeline */
	CTL_MAX_ANSWER =
	    2 << 20,             /* bytes of JSON; most have less than 64 KiB */
	CTL_PAGE = 256,          /* routes in one answer */
	CTL_MAX_TIME_MS = 10000, /* of time pipeline */
	CTL_REQUEST_MS = 10000,  /* a request, once begun, must be here */
	CTL_ANSWER_MS = 10000,   /* an answer must be taken */
	CTL_IDLE_MS = 3600 * 1000, /* between requests */
};

enum ctl_code {
	CTL_OK,
	CTL_MALFORMED,   /* "malformed": LINE is none; the router closes */
	CTL_UNKNOWN,     /* "unknown": no such command */
	CTL_INVALID,     /* "invalid": a word or line says nothing sensible */
	CTL_UNREACHABLE, /* "unreachable": a gateway on no network of ours */
	CTL_MISSING,     /* "missing": there is no such thing */
	CTL_BUSY,        /* "busy": somebody else does it; try again */
	CTL_FULL,        /* "full": a limit; the message says which */
	CTL_FAILED, /* "failed": no memory, no file; the message says why */
	CTL_N_CODES,
};

#endif
