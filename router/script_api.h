/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script_api: all of C that a pipeline in Lua may use. The build passes this
 * file through the preprocessor, with VNIC_FFI set, into the text that LuaJIT
 * reads (script_text.c): no struct is ever typed a second time, and what is
 * included here without a guard becomes part of it.
 *
 * C code includes the headers themselves.
 */
#include "lib/vnic_abi.h"
#include "lib/vnic_frame.h"
#include "router/batch.h"
#include "router/modules.h"
#include "router/packet.h"
#include "router/path.h"
#include "router/tables.h"

/* What becomes of a script, for statistics and for its check. */
struct script_counts {
	uint32_t traces; /* compiled */
	uint32_t aborts; /* compilations that were given up */
};
