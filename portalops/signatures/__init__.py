"""OpenSSH signatures and lists of allowed signers, as stock `ssh-keygen -Y` writes and reads them."""
