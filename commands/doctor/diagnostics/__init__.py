"""The diagnostics of the doctor, one file a subject: `state_folder.py` is the subject `state-folder`."""
