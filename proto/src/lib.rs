//! The SMPP and GSM documents as code.
