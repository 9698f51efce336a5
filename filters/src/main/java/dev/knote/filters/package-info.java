/** Filters for Knote beyond those in the core. */
package dev.knote.filters;
