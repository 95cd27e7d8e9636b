/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_visit: frames of a WebSocket, and pieces of a session, in any bytes that
 * come in any parts: what is read lies within what came, and a control frame is
 * whole and short. Most inputs are good ones with some bytes changed.
 */
#include "tests/fuzz/fuzz.h"

#include "api/websocket.h"
#include "lib/base.h"
#include "lib/piece.h"

enum { STREAM_BYTES = 64 << 10 };

static uint64_t n_read;
static uint8_t stream[STREAM_BYTES];

uint64_t
fuzz_count(void)
{
	return n_read;
}

/* Frames or pieces one after another. Returns bytes. */
static size_t
make_stream(struct fuzz_input *in, bool is_frames)
{
	static const uint8_t firsts[] = { 0x82, 0x81, 0x02, 0x00, 0x80, 0x88,
		0x89, 0x8a };
	unsigned n_items = fuzz_u8(in) % 8;
	size_t n = 0;

	for (unsigned i = 0; i < n_items; i++) {
		size_t k = fuzz_u8(in) % 4 ? fuzz_u8(in) % 126
					   : fuzz_u16(in) % PIECE_MAX;

		if (!is_frames) {
			piece_head(stream + n,
			    (enum piece_type)(
				1 + fuzz_u8(in) % (PIECE_N_TYPES - 1)),
			    k);
			n += PIECE_HEAD;
		} else {
			n += websocket_head(stream + n, WEBSOCKET_BINARY, k);
			stream[n - (k < 126 ? 2 : 4)] =
			    firsts[fuzz_u8(in) % sizeof(firsts)];
			stream[n - (k < 126 ? 1 : 3)] |= 0x80;
			n += 4; /* mask */
		}
		n += k;
	}
	for (unsigned i = fuzz_u8(in) % 4; i > 0 && n > 0; i--)
		stream[fuzz_u16(in) % n] = (uint8_t)fuzz_u8(in);
	return n;
}

static int
read_frames(struct websocket_reader *r)
{
	struct websocket_frame f;
	int rc;

	while ((rc = websocket_next(r, &f)) == 1) {
		n_read++;
		FUZZ_MUST(f.bytes >= r->buf && f.n <= WEBSOCKET_PAYLOAD);
		FUZZ_MUST(f.bytes + f.n <= r->buf + r->n);
		FUZZ_MUST(f.opcode != WEBSOCKET_CONTINUED);
		FUZZ_MUST(f.opcode < WEBSOCKET_CLOSE ||
			  (f.is_last && f.n <= WEBSOCKET_CONTROL));
		websocket_drop(r, &f);
	}
	return rc;
}

static int
read_pieces(struct piece_reader *r)
{
	struct piece p;
	int rc;

	while ((rc = piece_next(r, &p)) == 1) {
		n_read++;
		FUZZ_MUST(p.n <= PIECE_MAX);
		FUZZ_MUST(p.bytes + p.n <= r->buf + r->n);
		piece_drop(r);
	}
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct websocket_reader frames;
	static struct piece_reader pieces;
	struct fuzz_input in = { data, size };
	bool is_frames = fuzz_u8(&in) % 2;
	size_t n = make_stream(&in, is_frames), done = 0;
	int rc = 0;

	memset(&frames, 0, sizeof(frames));
	memset(&pieces, 0, sizeof(pieces));
	while (done < n && rc >= 0) {
		uint8_t *at;
		size_t room = is_frames ? websocket_room(&frames, &at)
					: piece_room(&pieces, &at);
		size_t part = 1 + fuzz_u16(&in) % 5000, k = MIN(part, n - done);

		FUZZ_MUST(room > 0);
		k = MIN(k, room);
		memcpy(at, stream + done, k);
		done += k;
		if (is_frames)
			websocket_filled(&frames, k);
		else
			piece_filled(&pieces, k);
		rc = is_frames ? read_frames(&frames) : read_pieces(&pieces);
	}
	return 0;
}
