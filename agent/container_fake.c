/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container.h"
extern int placeholder;
int placeholder;
