/** What processes that share memory wait for each other with: each class states its bytes, so that C takes part. */
package dev.knote.sync;
