/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/inventory.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

void fact_clear(struct fact *fact)
{
	free(fact->text);
	*fact = (struct fact){0};
}

void function_clear(struct function *function)
{
	fact_clear(&function->device);
	fact_clear(&function->driver);
	fact_clear(&function->iommu_group);
	fact_clear(&function->physfn);
	fact_clear(&function->totalvfs);
	fact_clear(&function->numvfs);
	fact_clear(&function->vf_device);
	fact_clear(&function->numa_node);
	fact_clear(&function->vf_links);
	free(function->vfs);
	*function = (struct function){0};
}

/* The members after the first are facts and nothing else. */
static void clear_facts(struct fact *facts, size_t size)
{
	for (size_t i = 0; i < size / sizeof(*facts); i++)
		fact_clear(&facts[i]);
}

void card_clear(struct card *card)
{
	clear_facts(&card->revision, sizeof(*card) - offsetof(struct card, revision));
	*card = (struct card){0};
}

void kfd_node_clear(struct kfd_node *node)
{
	clear_facts(&node->id, sizeof(*node));
}

void module_clear(struct module *module)
{
	free(module->name);
	fact_clear(&module->version);
	fact_clear(&module->srcversion);
	*module = (struct module){0};
}

static void clear_functions(struct function *functions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		function_clear(&functions[i]);
	free(functions);
}

void inventory_clear(struct inventory *inventory)
{
	clear_functions(inventory->gpus, inventory->n_gpus);
	clear_functions(inventory->others, inventory->n_others);
	for (size_t i = 0; i < inventory->n_cards; i++)
		card_clear(&inventory->cards[i]);
	free(inventory->cards);
	for (size_t i = 0; i < inventory->n_kfd; i++)
		kfd_node_clear(&inventory->kfd[i]);
	free(inventory->kfd);
	for (size_t i = 0; i < inventory->n_modules; i++)
		module_clear(&inventory->modules[i]);
	free(inventory->modules);
	for (size_t i = 0; i < inventory->n_problems; i++)
		free(inventory->problems[i].text);
	free(inventory->problems);
	fact_clear(&inventory->kernel);
	*inventory = (struct inventory){0};
}

const char *const inventory_firmware_names[N_FIRMWARE] = {
	"VCE", "UVD", "MC", "ME", "PFP", "CE", "RLC", "MEC", "SMC", "SDMA0",
};

bool fact_is(const struct fact *fact, const char *text)
{
	return fact_known(fact) && strcmp(fact->text, text) == 0;
}

static bool ends_in(const char *text, const char *end)
{
	const size_t len = strlen(text);

	return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

bool inventory_is_vfio(const char *driver)
{
	return ends_in(driver, "vfio-pci") || ends_in(driver, "vfio_pci");
}

bool inventory_blocks_group(const struct function *function)
{
	const struct fact *driver = &function->driver;

	if (function->pci_class == CLASS_PCI_BRIDGE || driver->state == FACT_ABSENT)
		return false;
	return !fact_known(driver) ||
	       (!inventory_is_vfio(driver->text) && !fact_is(driver, "pci-stub"));
}

static int add_function(struct function **functions, size_t *n, struct function *item)
{
	struct function *grown = reallocarray(*functions, *n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[*n] = *item;
	*item = (struct function){0};
	*functions = grown;
	++*n;
	return 0;
}

int inventory_add_gpu(struct inventory *inventory, struct function *item)
{
	return add_function(&inventory->gpus, &inventory->n_gpus, item);
}

int inventory_add_other(struct inventory *inventory, struct function *item)
{
	return add_function(&inventory->others, &inventory->n_others, item);
}

int inventory_add_card(struct inventory *inventory, struct card *item)
{
	struct card *grown = reallocarray(inventory->cards, inventory->n_cards + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[inventory->n_cards++] = *item;
	*item = (struct card){0};
	inventory->cards = grown;
	return 0;
}

int inventory_add_kfd(struct inventory *inventory, struct kfd_node *item)
{
	struct kfd_node *grown = reallocarray(inventory->kfd, inventory->n_kfd + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[inventory->n_kfd++] = *item;
	*item = (struct kfd_node){0};
	inventory->kfd = grown;
	return 0;
}

int inventory_add_module(struct inventory *inventory, struct module *item)
{
	struct module *grown =
		reallocarray(inventory->modules, inventory->n_modules + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[inventory->n_modules++] = *item;
	*item = (struct module){0};
	inventory->modules = grown;
	return 0;
}

int inventory_add_problem(struct inventory *inventory, const struct addr *addr, const char *text)
{
	auto_free char *copy = strdup(text);
	struct problem *grown;

	if (!copy)
		return -ENOMEM;
	/* A name of the bus may hold anything; this goes to terminals and logs. */
	for (char *c = copy; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	grown = reallocarray(inventory->problems, inventory->n_problems + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	inventory->problems = grown;
	grown[inventory->n_problems++] = (struct problem){
		.has_addr = addr != NULL,
		.addr = addr ? *addr : (struct addr){0},
		.text = TAKE_PTR(copy),
	};
	return 0;
}

static int compare_functions(const void *a, const void *b)
{
	return addr_compare(((const struct function *)a)->addr, ((const struct function *)b)->addr);
}

static int compare_cards(const void *a, const void *b)
{
	return addr_compare(((const struct card *)a)->addr, ((const struct card *)b)->addr);
}

static int compare_kfd(const void *a, const void *b)
{
	const int64_t id_a = ((const struct kfd_node *)a)->id.number;
	const int64_t id_b = ((const struct kfd_node *)b)->id.number;

	return (id_a > id_b) - (id_a < id_b);
}

static int compare_modules(const void *a, const void *b)
{
	return strcmp(((const struct module *)a)->name, ((const struct module *)b)->name);
}

static int compare_problems(const void *a, const void *b)
{
	return strcmp(((const struct problem *)a)->text, ((const struct problem *)b)->text);
}

/* qsort() of nothing may not be given NULL. */
static void sort(void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	if (n > 1)
		qsort(items, n, size, compare);
}

void inventory_sort(struct inventory *inventory)
{
	sort(inventory->gpus, inventory->n_gpus, sizeof(*inventory->gpus), compare_functions);
	sort(inventory->others, inventory->n_others, sizeof(*inventory->others), compare_functions);
	sort(inventory->cards, inventory->n_cards, sizeof(*inventory->cards), compare_cards);
	sort(inventory->kfd, inventory->n_kfd, sizeof(*inventory->kfd), compare_kfd);
	sort(inventory->modules, inventory->n_modules, sizeof(*inventory->modules),
	     compare_modules);
	sort(inventory->problems, inventory->n_problems, sizeof(*inventory->problems),
	     compare_problems);
}

const struct function *inventory_gpu(const struct inventory *inventory, struct addr addr)
{
	const struct function wanted = {.addr = addr};

	if (!inventory->n_gpus)
		return NULL;
	return bsearch(&wanted, inventory->gpus, inventory->n_gpus, sizeof(*inventory->gpus),
		       compare_functions);
}

const struct card *inventory_card(const struct inventory *inventory, struct addr addr)
{
	const struct card wanted = {.addr = addr};

	if (!inventory->n_cards)
		return NULL;
	return bsearch(&wanted, inventory->cards, inventory->n_cards, sizeof(*inventory->cards),
		       compare_cards);
}

const struct module *inventory_module(const struct inventory *inventory, const char *name)
{
	for (size_t i = 0; i < inventory->n_modules; i++) {
		if (strcmp(inventory->modules[i].name, name) == 0)
			return &inventory->modules[i];
	}
	return NULL;
}
