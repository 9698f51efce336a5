/** Steps, sleeps and wakes on words of shared memory: what the packages for users have in common. Not exported. */
package dev.knote.words;
