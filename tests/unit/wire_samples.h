/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_samples: a message of each type with every field filled, strings and
 * lists as long as they may be. For tests and as seeds of the fuzzer.
 */
#ifndef TESTS_WIRE_SAMPLES_H
#define TESTS_WIRE_SAMPLES_H

#include "lib/wire.h"

void wire_sample(struct wire_msg *m, enum wire_type type);

#endif
