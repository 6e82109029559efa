"""The frame of the C file."""

FILE = """/* A generator that zerosum trained, in C99 without dependencies (link with -lm). It has no state.
 *
 *   {name}_generate(seed, event, conditions, out)   event number `event` of a seed: always the same
 *   {name}_transform(latent, conditions, out)       from {latents} standard normal numbers
 *
{columns}
 *
 * Random numbers: Philox4x32-10 (Salmon et al. 2011) with the seed as key and the event as counter; Box-Muller.
 */
#include <math.h>
#include <stdint.h>

enum {{ {upper}_LATENTS = {latents}, {upper}_FEATURES = {features}, {upper}_CONDITIONS = {conditions} }};

void {name}_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);
void {name}_latent(uint64_t seed, uint64_t event, float *latent);
void {name}_transform(const float *latent, const double *conditions, double *out);
void {name}_generate(uint64_t seed, uint64_t event, const double *conditions, double *out);

{tables}

void {name}_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
    int round;
    for (round = 0; round < 10; ++round) {{
        const uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }}
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}}

void {name}_latent(uint64_t seed, uint64_t event, float *latent)
{{
    const uint32_t key[2] = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    uint32_t block;
    for (block = 0; block < {blocks}; ++block) {{
        const uint32_t counter[4] = {{(uint32_t)event, (uint32_t)(event >> 32), block, 0}};
        uint32_t word[4];
        int pair;
        {name}_philox(counter, key, word);
        for (pair = 0; pair < 2; ++pair) {{
            const double u = (word[2 * pair] + 0.5) / 4294967296.0, v = (word[2 * pair + 1] + 0.5) / 4294967296.0;
            const double radius = sqrt(-2.0 * log(u)), angle = 6.283185307179586 * v;
            const uint32_t at = 4 * block + 2 * (uint32_t)pair;
            if (at < {upper}_LATENTS)
                latent[at] = (float)(radius * cos(angle));
            if (at + 1 < {upper}_LATENTS)
                latent[at + 1] = (float)(radius * sin(angle));
        }}
    }}
}}

void {name}_transform(const float *latent, const double *conditions, double *out)
{{
{body}
}}

void {name}_generate(uint64_t seed, uint64_t event, const double *conditions, double *out)
{{
    float latent[{padded}];
    {name}_latent(seed, event, latent);
    {name}_transform(latent, conditions, out);
}}
"""
