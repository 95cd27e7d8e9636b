/* SPDX-License-Identifier: Apache-2.0 */
/* uid: UUID version 7 (RFC 9562): time first, then random; never reused. */
#ifndef AGENT_UID_H
#define AGENT_UID_H

#include <stdbool.h>
#include <stdint.h>

enum { UID_BYTES = 16, UID_TEXT = 37 };

/* Returns 0, or negative errno without randomness. */
int uid_make(uint8_t out[UID_BYTES]);
void uid_text(const uint8_t uid[UID_BYTES], char out[UID_TEXT]);
bool uid_parse(const char *text, uint8_t out[UID_BYTES]);

#endif
