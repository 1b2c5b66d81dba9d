//! For tests only: a packet builder, scenario files, the tools' binaries, a bash runner
