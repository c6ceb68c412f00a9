/* The kernel of stimuli/flood_numba.py in C, statement by statement: what the fill could take at best. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NEVER UINT64_MAX

static inline uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t wait_of(uint64_t pixel, uint64_t slowness, uint64_t origin, const uint64_t *table, uint64_t ln2)
{
    uint64_t x = pixel + origin;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x = x ^ (x >> 31);
    uint64_t medians = x == NEVER ? 32 : smaller((uint64_t)__builtin_clzll(~x), 32);
    x <<= smaller(medians + 1, 32);
    uint64_t cell = x >> 53, low = table[cell];
    uint64_t e = medians * ln2 + low + (((table[cell + 1] - low) * ((x >> 33) & 0xFFFFF)) >> 20);
    uint64_t wait = (e * slowness) >> 15;
    return wait ? wait : 1;
}

typedef struct {
    uint64_t *soon, *later, *spare, n_soon, n_later, bound, span;
} Queue;

static void refill(Queue *q)
{
    uint64_t few = (uint64_t)sqrt(0.5 * q->n_later) + 1, first = NEVER, n_soon, kept;
    for (uint64_t k = 0; k < q->n_later; k++)
        first = smaller(first, q->later[k]);
    for (;;) {
        q->bound = first + q->span > first ? first + q->span : NEVER;
        n_soon = kept = 0;
        for (uint64_t k = 0; k < q->n_later; k++) {
            uint64_t item = q->later[k], due = item < q->bound;
            q->spare[n_soon] = q->later[kept] = item;
            n_soon += due;
            kept += 1 - due;
        }
        if (n_soon <= 4 * few + 64)
            break;
        memcpy(q->later + kept, q->spare, n_soon * sizeof *q->later);
        q->span = q->span >> 1 ? q->span >> 1 : 1;
    }
    for (uint64_t k = 0; k < n_soon; k++) {
        uint64_t place = 0;
        for (uint64_t other = 0; other < n_soon; other++)
            place += q->spare[other] > q->spare[k];
        q->soon[place] = q->spare[k];
    }
    if (n_soon < few)
        q->span += q->span >> 1;
    else if (n_soon > 3 * few)
        q->span -= q->span >> 2;
    q->n_soon = n_soon;
    q->n_later = kept;
}

static void spill(Queue *q, uint64_t top)
{
    uint64_t half = q->n_soon >> 1;
    q->bound = q->soon[half - 1];
    q->span = smaller(q->span, q->bound - top);
    memcpy(q->later + q->n_later, q->soon, half * sizeof *q->soon);
    memmove(q->soon, q->soon + half, (q->n_soon - half) * sizeof *q->soon);
    q->n_soon -= half;
    q->n_later += half;
}

/* 4 neighbours; returns how many pixels were written to `order`. */
uint64_t grow(const float *values, double scale, const uint32_t *slowness, uint64_t origin, const uint64_t *table,
              uint64_t ln2, uint64_t height, uint64_t width, uint64_t start, uint64_t shift, uint64_t mask, int32_t *order,
              uint64_t n_px)
{
    const uint64_t steps[4] = {-width, -1, 1, width}, guards[4] = {-(width + 2), -1, 1, width + 2};
    const uint64_t low_bits = (1ull << shift) - 1, end_of_time = NEVER >> shift;
    const double per_row = 1.0 / width;
    uint64_t capacity = smaller(height * width, 4 * n_px) + 1, most = 64, done = 0, near[5];
    uint8_t *seen = malloc((height + 2) * (width + 2));
    uint64_t *items = malloc(3 * capacity * sizeof *items);
    Queue q = {items, items + capacity, items + 2 * capacity, 1, 0, NEVER, NEVER};
    memset(seen, 1, (height + 2) * (width + 2));
    for (uint64_t row = 1; row <= height; row++)
        memset(seen + row * (width + 2) + 1, 0, width);
    seen[start + 2 * (start / width) + width + 3] = 1;
    q.soon[0] = start ^ mask;
    while (done < n_px) {
        if (q.n_soon == 0) {
            if (q.n_later == 0)
                break;
            refill(&q);
            most = 2 * q.n_soon + 64;
        }
        uint64_t top = q.soon[--q.n_soon], time = top >> shift;
        if (time >= end_of_time)
            break;
        uint64_t pixel = (top & low_bits) ^ mask, n_near = 0;
        order[done++] = (int32_t)pixel;
        uint64_t row = (uint64_t)(int64_t)(((double)(int64_t)pixel + 0.5) * per_row), place = pixel + 2 * row + width + 3;
        for (int k = 0; k < 4; k++) {
            near[n_near] = pixel + steps[k];
            n_near += 1 - seen[place + guards[k]];
            seen[place + guards[k]] = 1;
        }
        for (uint64_t k = 0; k < n_near; k++) {
            int64_t grade = (int64_t)nearbyint((double)values[near[k]] * scale);
            uint64_t arrival = smaller(time + wait_of(near[k], slowness[grade], origin, table, ln2), end_of_time);
            uint64_t item = (arrival << shift) | (near[k] ^ mask);
            if (item >= q.bound) {
                q.later[q.n_later++] = item;
                continue;
            }
            uint64_t at = q.n_soon++;
            for (; at > 0 && q.soon[at - 1] < item; at--)
                q.soon[at] = q.soon[at - 1];
            q.soon[at] = item;
        }
        if (q.n_soon > most)
            spill(&q, top);
    }
    free(items);
    free(seen);
    return done;
}
