//! Where an address is: city, country and AS number from local databases
