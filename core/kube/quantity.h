/* quantity.h — Kubernetes quantities: "250m", "1Gi", "1e3", 2.
 *
 * Source: Kubernetes API conventions, resource.Quantity: a decimal number and a suffix out of n u m k M G T P E (tens),
 * Ki Mi Gi Ti Pi Ei (twos), or a decimal exponent. Read as double: exact for every amount below 2^53 in its unit, and
 * good enough to compare; quantities are never written from here.
 */
#pragma once
#include "core/base/value.h"

/* False when `amount` is absent or no quantity. CPU comes out in cores, memory and storage in bytes. */
bool quantity_of(const struct value *amount, double *ret_number);
bool quantity_parse(struct str text, double *ret_number);
