// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

/// @dev The sums of one currency through any number of calls in any order. Each movement is what `LedgerProof` proves of the real one: an account gains or
/// loses exactly the amount, and nothing else moves. One lease, any of all, is followed through its life.
contract BooksProof {
    /// @dev Sum of all balances, sum of all fees that wait beside them, sum of all escrows.
    uint256 private balances;
    uint256 private fees;
    uint256 private escrow;
    /// @dev All that ever came in, and went out.
    uint256 private cameIn;
    uint256 private wentOut;

    bool private living;
    bool private claimedOnce;
    uint256 private price;
    uint256 private timesPaid;

    function deposit(uint96 amount) external {
        balances += amount;
        cameIn += amount;
    }

    function withdraw(uint256 amount) external {
        require(balances >= amount);
        balances -= amount;
        wentOut += amount;
    }

    function post(uint96 worst) external {
        require(balances >= worst);
        balances -= worst;
        escrow += worst;
    }

    function claim(uint96 gross) external {
        require(!claimedOnce && gross <= escrow);
        (living, claimedOnce, price) = (true, true, gross);
    }

    /// @dev `gross - fee` is checked: a fee above the price reverts.
    function pay(uint256 fee) external {
        require(living);
        living = false;
        ++timesPaid;
        escrow -= price;
        uint256 paid = price - fee;
        balances += paid;
        fees += fee;
        assert(paid + fee == price);
    }

    function lapse() external {
        require(living);
        living = false;
    }

    function refund(uint256 amount) external {
        require(amount <= escrow);
        escrow -= amount;
        balances += amount;
    }

    function collectFees(uint256 amount) external {
        require(amount <= fees);
        fees -= amount;
        balances += amount;
    }

    function proveNothingIsLostOrMade() external view {
        assert(balances + fees + escrow == cameIn - wentOut);
    }

    function proveNoClaimIsPaidTwice() external view {
        assert(timesPaid <= 1);
    }
}
