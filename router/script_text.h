/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script_text: the texts that the build puts into the program: the declarations
 * made from script_api.h, router.lua and pipeline.lua.
 */
#ifndef ROUTER_SCRIPT_TEXT_H
#define ROUTER_SCRIPT_TEXT_H

extern const char script_text_api[];
extern const char script_text_router[];
extern const char script_text_pipeline[];

#endif
