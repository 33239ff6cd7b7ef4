//! One change to the whole program, one error.
