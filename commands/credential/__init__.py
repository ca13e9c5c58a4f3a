"""Keep the register of administrative access: who holds which credential, where it is kept, and when it must be changed.

Never the secret itself. What a person who leaves must return is listed, and the register is compared with what hosts show.
"""
