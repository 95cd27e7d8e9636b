# SPDX-License-Identifier: Apache-2.0
include tests/protocol.mk
include tests/dataplane.mk
