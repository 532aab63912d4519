//! The black-box test kit.
