/* secrecy.h — keeping what a process holds to itself. */
#pragma once

/* Secrets pass through our programs: no core dumps, and no ptrace or /proc/PID/mem for others of the same user. */
void secrecy_of_process(void);
