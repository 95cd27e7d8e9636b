/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vnic_frame: a packet in a router's hands, by value: a pointer into the pool
 * and the slot that it lies in. Apart from vnic.h because other languages read
 * it too (VNIC_FFI, see vnic_abi.h).
 */
#ifndef VNIC_FRAME_H
#define VNIC_FRAME_H

#ifndef VNIC_FFI
#include <stdint.h>
#endif

struct vnic_frame {
	uint8_t *data; /* first byte of the frame, in the pool */
	uint32_t slot;
	uint16_t len;  /* bytes */
	uint16_t vnic; /* where it came in; grants: 0 */
};

#endif
