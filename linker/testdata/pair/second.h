// What libsecond.so offers to libfirst.so.
typedef unsigned int u32;
typedef unsigned long long u64;
typedef u32 (*operation)(u32);

struct node {
    const char *name;
    operation run;
    struct node *next;
};

extern u32 second_counter;
extern u32 second_table[8];
extern struct node second_nodes[3];
extern u32 second_order;

u32 second_add(u32 a, u32 b);
u32 second_double(u32 a);
u32 second_count(u32 by);
u32 second_apply(operation f, u32 a);
u32 second_is_double(operation f);
operation second_pick(u32 which);
u32 second_calls_shadowed(void);
u64 second_wide(u64 a, double b, float c);

// Defined by both libraries: the first in the link wins for both.
u32 shadowed(void);
