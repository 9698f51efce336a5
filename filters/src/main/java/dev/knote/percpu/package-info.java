/**
 * Words of shared memory that each processor has for itself, and several words that change as one.
 *
 * <p>Start with {@link dev.knote.percpu.CpuWords}, counters; or {@link dev.knote.percpu.OpsVector}.
 */
package dev.knote.percpu;
