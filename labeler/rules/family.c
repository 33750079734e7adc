/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/family.h"

#include "base/cleanup.h"

/* From this version on, up to the next row. */
static const struct {
	int32_t from;
	const char *name;
} families[] = {
	/* clang-format off */
	{ 60000, "SI"},
	{ 70000, "KV"}, /* gfx700: Kaveri */
	{ 70001, "CI"},
	{ 70003, "KV"}, /* gfx703: Kabini */
	{ 70004, "CI"},
	{ 70005, "KV"}, /* gfx705: Mullins */
	{ 80000, "VI"},
	{ 80001, "CZ"}, /* gfx801: Carrizo */
	{ 80002, "VI"},
	{ 81000, "CZ"}, /* gfx810: Stoney */
	{ 90000, "AI"},
	{ 90002, "RV"}, /* gfx902: Raven */
	{ 90004, "AI"},
	{ 90009, "RV"}, /* gfx909: Raven 2 */
	{ 90010, "AI"},
	{ 90012, "RV"}, /* gfx90c: Renoir */
	{ 90400, "AI"},
	{100100, "NV"},
	{100303, "VGH"}, /* gfx1033: Van Gogh */
	{100304, "NV"},
	{100305, "YC"}, /* gfx1035: Yellow Carp */
	{100306, "GC_10_3_6"},
	{100307, "GC_10_3_7"},
	{100308, NULL},
	{110000, "GC_11_0_0"},
	{110003, "GC_11_0_1"}, /* gfx1103: Phoenix */
	{110004, NULL},
	{110500, "GC_11_5_0"},
	{110600, NULL},
	{120000, "GC_12_0_0"},
	{120100, NULL},
	/* clang-format on */
};

const char *family_name(int64_t gfx_target_version)
{
	const char *name = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (gfx_target_version >= families[i].from)
			name = families[i].name;
	}
	return name;
}
