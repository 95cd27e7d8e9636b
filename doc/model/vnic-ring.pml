/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnic-ring: the protocol of lib/vnic_abi.h and lib/vnic_ring.h as a Spin model. It was written with the protocol,
 * before the code, as part of this project; tests/stress/model.sh runs it.
 *
 * The vNIC protocol of one queue: lap-bit rings without shared indices, the host's ledger,
 * grants, sleeping and waking both ways, the epoch handshake. Either side may be killed between any two
 * accesses to shared memory, and starts again with nothing but what lies there.
 *
 *   spin -a [-D...] vnic-ring.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m1000000
 *
 * -DKILLS= kills in all, of either side. -DHOSTILE=1: the router makes O arbitrary writes, at any time.
 * Sizes, all or none: -DS= slots -DN= entries of a ring -DV= vNICs -DP= packets -DO= originated -DRES= reserve.
 * Seeded errors, each must be found: -DBUG_RECHECK -DBUG_RUNG -DBUG_BLANK -DBUG_REJOIN -DBUG_ZERO, -DBUG_NOKICK
 * (with KILLS=2), rings smaller than the partition (N < S); with -DHOSTILE=1: -DBUG_FETCH, -DBUG_OWNER.
 * Steps are sequentially consistent: memory orders are not checked here, but for P2, where a store that passes
 * a later load is the same as looking before storing (BUG_RECHECK). A d_step has one access that matters.
 */
#ifndef S
#define S 2
#define N 2
#define V 1
#define P 3
#define O 1
#define RES 1
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef HOSTILE
#define HOSTILE 0
#endif
#define WAIT	1		/* host word: epoch << 2 | state */
#define RUN	2
#define PACKET	4		/* descriptor: slot << 4 | kind << 2 | turn */
#define DONE	8
#define GRANT	12
#define EMPTY	0		/* ledger: EMPTY, 1 + v: filled through vNIC v, GRANTED */
#define GRANTED	9
#define OUT	100		/* what the router adds to a packet that it forwards */
#define MADE	200		/* what it writes into a packet of its own */
#ifdef BUG_ZERO			/* a bare lap bit: an entry of zeros looks written in odd laps */
#define TURN(p)	(1 - (p) / N)
#else
#define TURN(p)	(1 + 2 * ((p) / N))
#endif
#define AT(ring, v, p)		ring[(v) * N + (p) % N]
#define READY(ring, v, p)	((AT(ring, v, p) & 3) == TURN(p))
#define NEXT(p)			p = (p + 1) % (2 * N)
#define PUT(ring, v, p, x)	d_step { AT(ring, v, p) = (x) + TURN(p); NEXT(p) }
#define SET(flag, fresh, b)	d_step { flag = b; fresh = true }
#ifdef BUG_RECHECK
#define SLEEP(store, look)	look; store
#else				/* P2: first "asleep", then look */
#define SLEEP(store, look)	store look;
#endif

/* A counter of which only "odd?" and "changed since the peer looked?" matter is kept as two bits (asleep, new). */
byte h, rx[(V + 1) * N]; bool h_asleep, h_new, woken;	/* region host; ring V holds the grants */
byte r, tx[V * N]; bool r_asleep, r_new;		/* region router */
byte pool[S];						/* region pool, a byte per slot */
bool bell, blocked;					/* kernel: the host's eventfd, the router's futex */
byte own[S], granted, sent, made; bool die_h, die_r;	/* the host's ledger, global for the checks; the world */

inline wake() { woken = true; blocked = false }		/* two steps: the host may die between them */
inline room() { d_step { n = 0; for (v : 0 .. S - 1) { if :: own[v] == EMPTY -> n++; s = v :: else fi } v = 0 } }

inline look_h() {					/* is there work for the host? */
	d_step { work = ((r == h / 4) != running);
		for (v : 0 .. V - 1) { if :: running && READY(tx, v, tpos[v]) -> work = true :: else fi } v = 0 }
}
inline reset_h() {
	d_step { for (v : 0 .. S - 1) { own[v] = EMPTY; was[v] = 0 }
		for (v : 0 .. V) { rpos[v] = 0; tpos[v] = 0 } for (v : 0 .. (V + 1) * N - 1) { rx[v] = 0 }
		v = 0; granted = 0; r_new = true; running = false }
	h = (h / 4 + 1) * 4 + WAIT; wake()
}
inline take_h(v) {					/* one descriptor: fetched once, checked, used */
	d_step { d = AT(tx, v, tpos[v]); s = d / 16; ok = READY(tx, v, tpos[v]); good = (ok && s < S);
#ifndef BUG_OWNER
		if :: good -> good = (own[s] != EMPTY) :: else fi
#endif
	}
#ifdef BUG_FETCH
	if :: good -> d_step { s = AT(tx, v, tpos[v]) / 16; assert(s < S && own[s] != EMPTY) } :: else fi;
#endif
	d_step { if
		:: good -> assert(own[s] != EMPTY);
			assert(HOSTILE || (d & 12) == DONE || pool[s] == (own[s] == GRANTED -> MADE : was[s] + OUT));
			if :: own[s] == GRANTED -> granted-- :: else fi; own[s] = EMPTY; was[s] = 0
		:: ok && !good -> assert(HOSTILE)		/* a counted fault; an honest router is never blamed */
		:: else fi;
		if :: ok -> work = true; NEXT(tpos[v]) :: else fi; s = 0; d = 0; good = false; ok = false }
}

active proctype host() {
	byte v, s, d, n, tpos[V + 1], rpos[V + 1], was[S]; bool running, work, pub, ok, good, rang;
life:	{	d_step { h_asleep = false; h_new = true; ok = false; good = false; d = 0; s = 0; n = 0; rang = false }
		reset_h();
		do
		:: work = false; pub = false;
			if
			:: !running && r == h / 4 -> running = true; work = true; h = h + RUN - WAIT; wake()
			:: running && r != h / 4 -> work = true; reset_h()
			:: !running && r != h / 4
			:: running && r == h / 4 ->
				for (v : 0 .. V - 1) { take_h(v) } skip; room();
				if :: n > 0 && granted < RES ->	/* the reserve comes before traffic */
					d_step { own[s] = GRANTED; granted++ }
					PUT(rx, V, rpos[V], s * 16 + GRANT); pub = true
				:: else fi;
				room();
				if :: n > RES - granted && sent < P ->
					do :: v + 1 < V -> v++ :: break od; skip;
					d_step { sent++; own[s] = 1 + v; was[s] = sent; pool[s] = sent }
					PUT(rx, v, rpos[v], s * 16 + PACKET); pub = true
				:: else fi
			fi; d_step { s = 0; v = 0; n = 0 }
			if
			:: pub ->				/* P2: published, now look */
#ifdef BUG_RUNG							/* knows that it rang, but not for which sleep */
				d_step { ok = (r_asleep && !rang); rang = r_asleep }
#else
				d_step { ok = (r_asleep && r_new); r_new = false }
#endif
				if :: ok -> wake(); ok = false :: else fi
			:: !pub && !work ->
				SLEEP(SET(h_asleep, h_new, true), look_h())
				if :: !work ->
end:					bell -> bell = false :: else fi;
				SET(h_asleep, h_new, false)
			:: else fi
		od } unless { die_h -> die_h = false }
	goto life
}
active proctype killer() { byte k;
	do :: k < KILLS -> k++; if :: die_h = true :: die_r = true fi :: break od
}

#if HOSTILE
active proctype router() { byte k, x, v;
	do :: k < O -> k++; v = 0; x = 0;
		do :: v + 1 < V * N -> v++ :: break od; do :: x < S * 16 + 15 -> x++ :: break od;
		if :: tx[v] = x :: r = h / 4 :: r = 0 :: SET(r_asleep, r_new, !r_asleep) :: bell = true fi
	:: else -> break od
}
#else
inline look_r() {
	d_step { work = (h != w);
		for (v : 0 .. V - 1) { if :: READY(rx, v, rpos[v]) -> work = true :: else fi } v = 0 }
}
active proctype router() {
	byte v, u, s, w, acked, tpos[V + 1], rpos[V + 1], last[V]; bool work, ok;
life:	{	d_step { acked = 0; blocked = false; r_asleep = false; r_new = true; h_new = true; ok = false; s = 0; u = 0 }
		do
		:: work = false; w = h;
			if
			:: w == acked * 4 + RUN ->
				for (v : 0 .. V) {	/* ring V last: a grant, while there is something to say */
					d_step { ok = (READY(rx, v, rpos[v]) && (v < V || made < O));
						if :: ok -> s = AT(rx, v, rpos[v]) / 16; NEXT(rpos[v]); work = true :: else fi;
						if :: ok && v < V -> assert(pool[s] > last[v]); last[v] = pool[s]
						:: ok && v == V -> made++; pool[s] = MADE - OUT :: else fi }
					do :: u + 1 < V -> u++ :: break od;
					if :: ok -> pool[s] = pool[s] + OUT; PUT(tx, u, tpos[u], s * 16 + PACKET)
					:: ok -> PUT(tx, u, tpos[u], s * 16 + DONE)
					:: !ok fi;
					s = 0; u = 0 }
				if :: work -> d_step { ok = (h_asleep && h_new); h_new = false }
					if :: ok -> bell = true :: else fi :: else fi
			:: w % 4 == RUN && w / 4 != acked ->	/* a dead predecessor ran here */
#ifdef BUG_REJOIN
				acked = w / 4; work = true
#elif defined(BUG_NOKICK)
				if :: r -> r = 0; bell = true :: else fi
#else
				r = 0; bell = true
#endif
			:: w % 4 == WAIT && w / 4 != acked -> skip;
				d_step {
#ifndef BUG_BLANK
					for (v : 0 .. V * N - 1) { tx[v] = 0 }
#endif
					for (v : 0 .. V) { rpos[v] = 0; tpos[v] = 0 } for (v : 0 .. V - 1) { last[v] = 0 }
					acked = w / 4; h_new = true; work = true }
				r = acked; bell = true
			:: else fi; d_step { v = 0; ok = false }
			if :: !work -> woken = false;		/* remembers the wake word */
				SLEEP(SET(r_asleep, r_new, true), look_r())
				if :: !work -> blocked = !woken;
end:					!blocked :: else fi;
				SET(r_asleep, r_new, false)
			:: else fi; w = 0
		od } unless { die_r -> die_r = false }
	goto life
}

active proctype watch()	/* when nothing can move any more all is done: no lost wake-up, no deadlock, no leak */
{	byte i;
end:	timeout;
	for (i : 0 .. S - 1) { assert(own[i] == EMPTY || own[i] == GRANTED) }
	assert(h % 4 == RUN && r == h / 4 && sent == P && granted == RES)
}
#endif
