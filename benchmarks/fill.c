/* The kernel of stimuli/flood_numba.py in C, statement by statement: what the fill could take at best. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static inline uint64_t wait_of(uint64_t pixel, uint64_t slowness, uint64_t origin, const uint64_t *table, uint64_t ln2)
{
    uint64_t x = pixel + origin, total = 0;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x = x ^ (x >> 31);
    for (int i = 0; i < 32; i++) {
        uint64_t one = x >> 63;
        x <<= 1;
        if (!one)
            break;
        total += ln2;
    }
    uint64_t cell = x >> 53, low = table[cell];
    uint64_t e = total + low + (((table[cell + 1] - low) * ((x >> 33) & 0xFFFFF)) >> 20);
    uint64_t wait = (e * slowness) >> 15;
    return wait ? wait : 1;
}

/* 4 neighbours; returns how many pixels were written to `order`. */
int64_t grow(const float *values, double scale, const uint32_t *slowness, uint64_t origin, const uint64_t *table,
             uint64_t ln2, int64_t height, int64_t width, int64_t start, uint64_t shift, uint64_t mask, int32_t *order,
             int64_t n_px)
{
    int64_t guarded = (height + 2) * (width + 2), size = 1, done = 0;
    uint64_t *heap = malloc((height * width + 1) * sizeof *heap);
    uint8_t *seen = malloc(guarded);
    for (int64_t i = 0; i < guarded; i++)
        seen[i] = 1;
    for (int64_t row = 1; row <= height; row++)
        for (int64_t column = 1; column <= width; column++)
            seen[row * (width + 2) + column] = 0;
    const int64_t steps[4] = {-width, -1, 1, width}, guards[4] = {-(width + 2), -1, 1, width + 2};
    const uint64_t low_bits = (1ull << shift) - 1, end_of_time = ~0ull >> shift;
    const double per_row = 1.0 / width;
    int64_t row = start / width;
    heap[0] = (uint64_t)start ^ mask;
    seen[(row + 1) * (width + 2) + start - row * width + 1] = 1;
    while (size > 0 && done < n_px) {
        uint64_t top = heap[0], last = heap[--size];
        int64_t at = 0;
        for (;;) {
            int64_t child = 4 * at + 1, stop = child + 4 < size ? child + 4 : size;
            if (child >= size)
                break;
            int64_t best = child;
            uint64_t value = heap[child];
            for (int64_t other = child + 1; other < stop; other++)
                if (heap[other] < value) {
                    best = other;
                    value = heap[other];
                }
            if (value >= last)
                break;
            heap[at] = value;
            at = best;
        }
        heap[at] = last;
        uint64_t time = top >> shift;
        if (time >= end_of_time)
            break;
        int64_t pixel = (int64_t)((top & low_bits) ^ mask);
        order[done++] = (int32_t)pixel;
        row = (int64_t)((pixel + 0.5) * per_row);
        int64_t place = (row + 1) * (width + 2) + pixel - row * width + 1;
        for (int k = 0; k < 4; k++) {
            int64_t guard = place + guards[k];
            if (seen[guard])
                continue;
            seen[guard] = 1;
            int64_t other = pixel + steps[k];
            int64_t grade = (int64_t)nearbyint((double)values[other] * scale);
            uint64_t arrival = time + wait_of((uint64_t)other, slowness[grade], origin, table, ln2);
            if (arrival > end_of_time)
                arrival = end_of_time;
            uint64_t packed = (arrival << shift) | ((uint64_t)other ^ mask);
            at = size++;
            while (at > 0) {
                int64_t parent = (at - 1) >> 2;
                if (heap[parent] <= packed)
                    break;
                heap[at] = heap[parent];
                at = parent;
            }
            heap[at] = packed;
        }
    }
    free(heap);
    free(seen);
    return done;
}
